//! Edits of YAML, JSON, JavaScript and INI files, in Ruby, Node and Python.

use cbgen::formats::{Format, js_references};

use super::facts::{certificates, facts};
use super::{edited, expect_all, of_format, same};
use crate::harness::root;
use crate::support::program::{finish, folder, program, write};
use crate::support::subject::{Subject, Verdict};

/// Runs a script of a language over the deployed bytes, a sample file, and what the edits make of it. The files are the
/// arguments of the script, in this order.
fn script(subject: &Subject, language: &[&str], text: &str, sample: &str) -> Result<String, String> {
    let folder = folder();
    let file = folder.path().join("subject");
    write(&file, subject.bytes()?);
    let sample = root().join("tests/fixtures/vendor").join(sample);
    let before = std::fs::read(&sample).map_err(|error| format!("{}: {error}", sample.display()))?;
    let after = folder.path().join("after");
    // A text that the engine refuses is judged by the real reader first.
    let refused = match edited(subject, &before) {
        Ok(bytes) => {
            write(&after, bytes);
            None
        }
        Err(why) => {
            write(&after, before);
            Some(why)
        }
    };
    let mut command = program(language[0]);
    command
        .args(&language[1..])
        .arg(text)
        .arg(&file)
        .arg(sample)
        .arg(after);
    let ran = finish(command.env("HOME", folder.path()));
    if ran.code == 0 {
        refused.map_or(Ok(ran.stdout), Err)
    } else {
        Err(format!("{}{}", ran.stdout, ran.stderr))
    }
}

/// What Ruby reads in the edits, in a sample, and in what the edits have made of it.
const RUBY: &str = r"
edits = YAML.unsafe_load(File.binread(ARGV[0]))
edits.each_key { |key| abort %(#{key} is no symbol) unless key.is_a? Symbol }
before, after = YAML.unsafe_load_file(ARGV[1]), YAML.unsafe_load_file(ARGV[2])
before.each_key { |key| puts %(#{key.class} #{key} #{before[key]} -> #{after[key]}) if before[key] != after[key] }
puts (after.keys - before.keys).size
";

/// Keyed lines of YAML.
pub(crate) fn yaml(subject: &Subject) -> Verdict {
    let name = subject
        .path
        .rsplit('/')
        .next()
        .unwrap_or_default()
        .replace(".set.yml", ".yml");
    let found = script(subject, &["ruby", "-ryaml", "-e"], RUBY, &name)?;
    let mut wanted = "Symbol host 0.0.0.0 -> 127.0.0.1\n".to_owned();
    if name.contains("stats") {
        wanted.push_str("Symbol ws_host 0.0.0.0 -> 127.0.0.1\n");
    }
    same("changes", &found, &(wanted + "0\n"))
}

const PYTHON_JSON: &str = "import json, sys
text = open(sys.argv[1], encoding='utf-8', newline='').read()
print(json.dumps(json.loads(text), separators=(',', ':')))";

/// Parses strictly; the edited sample is the sample with the new keys, in its order.
const NODE_JSON: &str = "const fs = require('fs');
const read = (name) => JSON.parse(fs.readFileSync(name, 'utf8'));
const [edits, sample, after] = process.argv.slice(1).map(read);
console.log(JSON.stringify(edits));
const wanted = { ...sample, rabbitConfig: { ...sample.rabbitConfig, ...edits.rabbitConfig } };
if (JSON.stringify(after) !== JSON.stringify(wanted)) throw new Error('after the edits: ' + JSON.stringify(after));
console.log(after.unknownBefore.kept.length, after.rabbitConfig.userName, after.rabbitConfig.port);";

/// The client settings of RabbitMQ, in two strict parsers.
pub(crate) fn json(subject: &Subject) -> Verdict {
    let facts = facts(subject);
    let python = script(subject, &["python3", "-c"], PYTHON_JSON, "rabbitmq_config.json")?;
    let node = script(subject, &["node", "-e"], NODE_JSON, "rabbitmq_config.json")?;
    let folder = certificates(subject).replace('\\', r"\\");
    let server = subject.server();
    let name = facts
        .common_name
        .map(|name| format!(",\"serverNameIndication\":\"CN={name}\""))
        .unwrap_or_default();
    let wanted = format!(
        "{{\"rabbitConfig\":{{\"sslEnabled\":true,\"sslServerName\":\"{server}\",\"sslVersion\":\"Tls12\",\
         \"certPathP12\":\"{folder}\\\\cert.p12\",\"keyFileP12\":\"{folder}\\\\client_key.p12\",\
         \"caCertFile\":\"{folder}\\\\ca_certificate.pem\",\"certFile\":\"{folder}\\\\client_certificate.pem\",\
         \"keyFile\":\"{folder}\\\\client_key.pem\",\"hostname\":\"{server}\",\"port\":5671,\"vHost\":\"/\"{name}}}}}"
    );
    same("Python", &python, &wanted)?;
    same("Node", &node, &format!("{wanted}\n3 kept 5671"))
}

/// Runs a sample before and after the rewrites, and shows the object it makes. The pattern of the contract, done by Node,
/// gives the same text.
const NODE_SCRIPT: &str = "const fs = require('fs'), vm = require('vm');
const edits = JSON.parse(fs.readFileSync(process.argv[1], 'utf8'));
const [text, after] = process.argv.slice(2).map((name) => fs.readFileSync(name, 'utf8'));
const patterns = PATTERNS;
const run = (text) => { const scope = { location: { hostname: 'h' } }; vm.runInNewContext(text, scope); return scope.settings; };
const apply = (text) => edits.rewrites.reduce(
  (text, { port, to }) => text.replace(new RegExp(patterns[port], 'gi'), () => to), text);
run(text);
if (apply(text) !== after) throw new Error('the pattern gives another text');
if (apply(after) !== after) throw new Error('a second time changes more');
for (const [name, value] of Object.entries(run(after))) console.log(name, value);";

/// Rewrites of references in `settings.js`.
pub(crate) fn references(subject: &Subject) -> Verdict {
    let document = js_references::read(&subject.text).map_err(|errors| format!("{errors:?}"))?;
    let patterns: serde_json::Map<String, serde_json::Value> = document
        .rewrites
        .iter()
        .map(|rewrite| {
            (
                rewrite.port.to_string(),
                js_references::pattern(rewrite.port).into(),
            )
        })
        .collect();
    let patterns = serde_json::Value::from(patterns).to_string();
    let found = script(
        subject,
        &["node", "-e"],
        &NODE_SCRIPT.replace("PATTERNS", &patterns),
        "settings.js",
    )?;
    let origin = facts(subject).origin;
    let wanted = [
        ("auth", format!("{origin}/auth")),
        ("authLogin", format!("{origin}/auth/login?next=%2F")),
        ("stats", format!("{origin}/stats/socket")),
        ("system", format!("{origin}/system")),
        ("config", format!("{origin}/config/")),
        ("license", format!("{origin}/license")),
        ("mgmt", format!("{origin}/mgmt/a/b")),
        ("other", "http://server:28001/x".to_owned()),
        ("twice", format!("{origin}/auth {origin}/auth")),
        // Put together from pieces: reported, never guessed.
        ("pieces", "h:8000".to_owned()),
    ];
    let wanted: Vec<String> = wanted
        .iter()
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    same("the settings afterwards", &found, &wanted.join("\n"))
}

const PYTHON_INI: &str = "import configparser, sys
def read(name):
    parser = configparser.ConfigParser(interpolation=None, delimiters=('=',))
    parser.optionxform = str
    with open(name, encoding='ascii', newline='') as file:
        parser.read_file(file)
    return parser
edits, before, after = [read(name) for name in sys.argv[1:]]
for section in after.sections():
    print(section, dict(after[section]))";

/// The EyeQueue shortcut.
pub(crate) fn shortcut(subject: &Subject) -> Verdict {
    let found = script(subject, &["python3", "-c"], PYTHON_INI, "EyeQueue.url")?;
    let origin = facts(subject).origin;
    let wanted = format!(
        "{{000214A0-0000-0000-C000-000000000046}} {{'Prop3': '19,2'}}\n\
         InternetShortcut {{'IDList': '', 'URL': '{origin}/EyeQueue', 'IconIndex': '0'}}"
    );
    same("the shortcut afterwards", &found, &wanted)
}

#[test]
fn ruby_reads_every_keyed_line() {
    expect_all(&of_format(Format::Yaml), yaml);
}

#[test]
fn node_and_python_read_every_json_file() {
    expect_all(&of_format(Format::Json), json);
}

#[test]
fn settings_scripts_call_the_proxy_afterwards() {
    expect_all(&of_format(Format::JsReferences), references);
}

#[test]
fn shortcuts_open_the_proxy() {
    expect_all(&of_format(Format::Ini), shortcut);
}
