//! The programs that read vendor files, each run once over all files of its kind. A view is a list of lines
//! `PLACE VALUE`, or one that begins with `!` where the program refuses the file.

use std::process::Command;

use crate::harness::root;
use crate::support::mono::Tool;
use crate::support::program::{folder, program, succeed, write};

/// Writes the files and runs a command that shows them one after the other, each behind a line `= NAME`.
fn views(files: &[Vec<u8>], make: impl FnOnce() -> Command) -> Vec<Vec<String>> {
    let folder = folder();
    let mut command = make();
    for (number, bytes) in files.iter().enumerate() {
        let file = folder.path().join(format!("{number:03}"));
        write(&file, bytes);
        command.arg(file);
    }
    let shown = succeed(command.env("HOME", folder.path()));
    let mut views = Vec::new();
    for line in shown.lines() {
        if line.starts_with("= ") {
            views.push(Vec::new());
        } else {
            views.last_mut().expect("a name first").push(line.to_owned());
        }
    }
    views
}

/// `file:consult`.
pub(super) fn erlang(files: &[Vec<u8>]) -> Vec<Vec<String>> {
    views(files, || {
        let mut command = program("escript");
        command
            .arg(root().join("tests/fixtures/erlang/terms.escript"))
            .arg("view");
        command
    })
}

const RUBY: &str = r##"
def view(place, value)
  case value
  when Hash then value.each { |key, below| view("#{place}/#{key.inspect}", below) }
  when Array then value.each_with_index { |below, number| view("#{place}/#{number}", below) }
  else puts "#{place} #{value.inspect}"
  end
end
ARGV.each do |name|
  puts "= #{name}"
  begin
    view("", YAML.unsafe_load_file(name))
  rescue StandardError => error
    puts "! #{error.class}"
  end
end
"##;

/// `YAML.load_file` of Ruby.
pub(super) fn ruby(files: &[Vec<u8>]) -> Vec<Vec<String>> {
    views(files, || {
        let mut command = program("ruby");
        command.args(["-ryaml", "-e", RUBY, "--"]);
        command
    })
}

const NODE: &str = "const fs = require('fs'), vm = require('vm');
const view = (place, value) => {
  if (typeof value === 'function') value = value();
  if (value !== null && typeof value === 'object' && Object.keys(value).length)
    for (const [key, below] of Object.entries(value)) view(place + '/' + key, below);
  else console.log(place, JSON.stringify(value));
};
const text = (name) => {
  const bytes = fs.readFileSync(name);
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return bytes.subarray(2).toString('utf16le');
  try { return new TextDecoder('utf-8', { fatal: true }).decode(bytes); } catch { return bytes.toString('latin1'); }
};
for (const name of process.argv.slice(1)) {
  console.log('=', name);
  try { READ } catch (error) { console.log('!', error.name); }
}";

fn node(files: &[Vec<u8>], read: &str) -> Vec<Vec<String>> {
    views(files, || {
        let mut command = program("node");
        command.arg("-e").arg(NODE.replace("READ", read)).arg("--");
        command
    })
}

/// `JSON.parse` of Node.
pub(super) fn json(files: &[Vec<u8>]) -> Vec<Vec<String>> {
    node(files, "view('', JSON.parse(text(name)));")
}

/// Node running the script.
pub(super) fn script(files: &[Vec<u8>]) -> Vec<Vec<String>> {
    node(
        files,
        "const scope = { location: { hostname: 'h' } }; vm.runInNewContext(text(name), scope); if (scope.settings === undefined) throw new TypeError(); view('', scope.settings);",
    )
}

const PYTHON: &str = "import configparser, sys
for name in sys.argv[1:]:
    print('=', name)
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=('=',), comment_prefixes=(';',))
    with open(name, 'rb') as file:
        data = file.read()
    try:
        parser.read_string(data.decode('utf-16' if data[:2] == b'\\xff\\xfe' else 'cp1252'))
        for section in parser.sections():
            for key, value in parser[section].items():
                print(section, key, repr(value))
    except (configparser.Error, ValueError) as error:
        print('!', type(error).__name__)";

/// `configparser` of Python.
pub(super) fn ini(files: &[Vec<u8>]) -> Vec<Vec<String>> {
    views(files, || {
        let mut command = program("python3");
        command.args(["-X", "utf8", "-c", PYTHON]);
        command
    })
}

/// The configuration system of .NET, and `System.Xml`.
pub(super) fn dotnet(files: &[Vec<u8>]) -> Vec<Vec<String>> {
    let tool = Tool::new(None);
    views(files, || tool.command(&["views"]))
}
