//! Bounds of time and memory, each with the real program: what is too much ends with a code.

use super::{bounded, prepare, within};
use crate::harness::{Workspace, read_tree, root, write_tree};

/// A workspace with the shipped inventories, and a template of `extra/` with this front matter and body.
fn with_template(more: &str, body: &str) -> Workspace {
    let workspace = Workspace::new();
    write_tree(&workspace.folder(), &read_tree(&root().join("inventories")));
    let head = "title: Much\nscope: deployment\nformat: text\neffect: read\nphase: verify\n";
    workspace.write(
        "templates/extra/much.txt",
        &format!("---\n{head}{more}---\n{body}"),
    );
    workspace
}

#[test]
fn all_texts_of_an_inventory_have_one_bound() {
    // Each text is within its bound, all of them are not.
    let each: Vec<String> = (0..22).map(|number| format!("a{number}")).collect();
    let more = format!("each: [{}]\npath: 'extra/{{{{ each }}}}.txt'\n", each.join(", "));
    let line = "0123456789abcdef".repeat(1 << 14);
    let body = format!("{{{{ each }}}}\n{{% for a in range(end=230) %}}{line}\n{{% endfor %}}");
    let workspace = with_template(&more, &body);
    let (status, text) = within(&workspace, 4, "check lab.yaml --templates templates");
    assert!(
        status == 1 && text.contains("CB0017") && text.contains("more than 1024 MiB together"),
        "{status} {text}"
    );
}

#[test]
fn what_the_engine_would_stack_is_refused_before_it_begins() {
    // A chain of partials, also one that nothing includes, and choices without end.
    for begins in [true, false] {
        let body = if begins { "{% include \"_p/a0\" %}" } else { "x" };
        let workspace = with_template("path: extra/much.txt\n", body);
        for number in 0..1000 {
            let more = format!("{{% include \"_p/a{}\" %}}", number + 1);
            let text = if number < 999 { more.as_str() } else { "x" };
            workspace.write(&format!("templates/_p/a{number}"), text);
        }
        let (status, text) = bounded(&workspace, "check lab.yaml --templates templates");
        let says = "error[CB0016]: includes lie more than 30 deep in each other here";
        assert!(status == 1 && text.contains(says), "{status} {text}");
    }
    let body = format!(
        "{{% if false %}}{}{{% endif %}}x",
        "{% elif false %}".repeat(4000)
    );
    let workspace = with_template("path: extra/much.txt\n", &body);
    let (status, text) = bounded(&workspace, "check lab.yaml --templates templates");
    let says = "error[CB0016]: a text has at most 100 `elif`";
    assert!(status == 1 && text.contains(says), "{status} {text}");
}

#[test]
fn revisions_are_bounded_one_by_one_and_together() {
    let workspace = Workspace::new();
    write_tree(&workspace.folder(), &read_tree(&root().join("inventories")));
    // Zeros are small in a repository: one object of 257 MiB, and one of 120 MiB with ten names.
    let build = "git init -q; mkdir -p one many; truncate -s 257M one/manifest.json; git add one; rm one/manifest.json
        truncate -s 120M zeros; id=$(git hash-object -w zeros); rm zeros
        for name in 0 1 2 3 4 5 6 7 8 9; do git update-index --add --cacheinfo 100644,$id,many/$name; done
        git -c user.name=a -c user.email=a@b.example commit -q -m x";
    prepare(&workspace, "case", "bash", &["-ec", build]);
    for (side, says) in [
        ("one", "`one/manifest.json` is larger than 256 MiB"),
        ("many", "its 10 files have more than 1024 MiB together"),
    ] {
        let (code, text) = bounded(&workspace, &format!("diff git:HEAD:{side} lab.yaml"));
        assert!(code == 2 && text.contains(says), "{code} {text}");
    }
}

#[test]
fn long_values_are_refused_before_they_cost_time() {
    let workspace = Workspace::new();
    write_tree(&workspace.folder(), &read_tree(&root().join("inventories")));
    let lab = std::fs::read_to_string(root().join("inventories/lab.yaml")).expect("an inventory");
    let long = "v".repeat(15_000_000);
    for (number, (more, says)) in [
        (format!("x: {long}"), "CB0018]: this value has 15000000 bytes"),
        (
            format!("x: \"{}\"", "v\\n".repeat(5_000_000)),
            "CB0018]: this value has 10000000 bytes",
        ),
        (
            format!("x: >\n{}", "  abc\n".repeat(2_000_000)),
            "CB0018]: this value has",
        ),
        (
            format!("x: [{long}, {{ y: 1 }}]"),
            "CB0018]: this value has 15000000 bytes",
        ),
        (format!("? {long}\n: 1"), "CB0018]: this value has 15000000 bytes"),
        // No implicit key is that long.
        (format!("{long}: 1"), "CB0101]: "),
        (
            format!("password: {long}"),
            "CB0018]: this value has 15000000 bytes",
        ),
        (format!("x: *{long}"), "CB0107]: "),
    ]
    .into_iter()
    .enumerate()
    {
        workspace.write("lab.yaml", &format!("{lab}\n{more}\n"));
        // `human` quotes lines; once the others are asked too.
        for format in if number == 0 {
            &["short", "human"][..]
        } else {
            &["human"]
        } {
            let script = format!(
                "ulimit -v 2097152; ulimit -t 25; exec '{}' check lab.yaml --message-format {format}",
                env!("CARGO_BIN_EXE_cbgen")
            );
            let mut command = std::process::Command::new("bash");
            command.args(["-c", &script]).current_dir(workspace.folder());
            let output = command.output().expect("bash starts");
            let text = String::from_utf8_lossy(&output.stderr);
            let first: String = text.chars().take(500).collect();
            assert!(
                output.status.code() == Some(1) && text.contains(says) && text.len() < 20_000,
                "{number}: {format}: {:?} {first}",
                output.status
            );
        }
    }
}

#[test]
fn a_listing_of_a_revision_is_bounded() {
    let workspace = Workspace::new();
    write_tree(&workspace.folder(), &read_tree(&root().join("inventories")));
    // 250,000 paths of 4,000 bytes: one tree with many names below fifteen with one.
    let build = "git init -q; id=$(echo x | git hash-object -w --stdin)
        tree=$(seq -f %06g.yaml 250000 | sed \"s/^/100644 blob $id\t/\" | git mktree)
        long=$(printf 'a%.0s' $(seq 250))
        for i in $(seq 15); do tree=$(printf '040000 tree %s\t%s\n' $tree $long | git mktree); done
        commit=$(git -c user.name=a -c user.email=a@b.example commit-tree -m x $tree); git update-ref HEAD $commit";
    prepare(&workspace, "case", "bash", &["-ec", build]);
    let (code, text) = bounded(&workspace, "diff git:HEAD:a lab.yaml");
    let says = "[CB0902]: `git:HEAD:a` cannot be read: the names of its files have more than 64 MiB together";
    assert!(code == 2 && text.contains(says), "{code} {text}");
}

#[cfg(unix)]
#[test]
fn a_pipe_in_a_repository_is_not_waited_for_without_end() {
    let cases = [".git/config", ".git/HEAD", ".git/packed-refs", "elsewhere"];
    let finished = std::thread::scope(|scope| {
        let run = |pipe: &'static str| {
            let workspace = Workspace::new();
            write_tree(&workspace.folder(), &read_tree(&root().join("inventories")));
            let build = format!(
                "git init -q; git add lab.yaml; git -c user.name=a -c user.email=a@b.example commit -q -m x
                git pack-refs --all; git config include.path ../elsewhere; rm -f {pipe}; mkfifo {pipe}"
            );
            prepare(&workspace, "case", "bash", &["-ec", &build]);
            let (code, text) = bounded(&workspace, "diff git:HEAD:lab.yaml lab.yaml");
            (pipe, code, text)
        };
        let runs = cases.map(|pipe| scope.spawn(move || run(pipe)));
        runs.map(|run| run.join().expect("it ends"))
    });
    for (pipe, code, text) in finished {
        let says = "git said nothing for 30 seconds and was ended";
        assert!(code == 2 && text.contains(says), "{pipe}: {code} {text}");
    }
}

#[test]
fn archives_are_bounded_by_their_sum() {
    use std::io::{Cursor, Write as _};
    // 60 files of 60 MB, packed into a few megabytes; the first is packed, the others are copies of its packed bytes.
    let options =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    let mut first = zip::ZipWriter::new(Cursor::new(Vec::new()));
    first.start_file("a", options).expect("a file");
    // Random bytes between, so that no single file is refused for its ratio.
    let mut seed: u32 = 1;
    let mut block = vec![b'x'; 8192];
    for _ in 0..60_000_000 / block.len() {
        for byte in block.iter_mut().take(48) {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *byte = seed.to_be_bytes()[0];
        }
        first.write_all(&block).expect("memory");
    }
    let packed = first.finish().expect("an archive").into_inner();
    let mut source = zip::ZipArchive::new(Cursor::new(packed)).expect("an archive");
    let mut bomb = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for number in 0..60 {
        let file = source.by_index_raw(0).expect("a file");
        bomb.raw_copy_file_rename(file, format!("f{number:02}.txt"))
            .expect("memory");
    }
    let bytes = bomb.finish().expect("an archive").into_inner();
    assert!(bytes.len() < 64 << 20, "{}", bytes.len());
    let workspace = Workspace::new();
    std::fs::write(workspace.folder().join("bomb.zip"), bytes).expect("writable");
    write_tree(
        &workspace.folder().join("other"),
        &read_tree(&root().join("out/acme-lab")),
    );
    let (status, text) = bounded(&workspace, "diff other bomb.zip");
    assert!(
        status == 2 && text.contains("[CB0708]") && text.contains("bytes allowed"),
        "{status} {text}"
    );
    let (status, text) = bounded(&workspace, "verify bomb.zip");
    assert!(status > 0 && text.contains("[CB11"), "{status} {text}");
}

#[test]
fn many_artifacts_are_compared_in_one_pass() {
    let workspace = Workspace::new();
    let tree = read_tree(&root().join("out/acme-lab"));
    for (name, word) in [("before", "one"), ("after", "two")] {
        write_tree(&workspace.folder().join(name), &tree);
        super::forge::with_many(&workspace.folder().join(name), 5_000, word);
    }
    let seconds = |arguments: &str, expected: i32| {
        let begin = std::time::Instant::now();
        let (status, text) = bounded(&workspace, arguments);
        assert_eq!(status, expected, "{text}");
        begin.elapsed().as_secs_f64()
    };
    // Within the minute of processor time that every command has here.
    let times = (seconds("verify after", 0), seconds("diff before after -q", 1));
    assert!(times.0 < 60.0 && times.1 < 60.0, "{times:?}");
}

#[test]
fn nested_loops_end_within_seconds_and_name_their_place() {
    let body = "first\n{% for a in servers -%}\n{% for b in range(end=100000) -%}\n{% for c in range(end=100000) %}{% if c == a.name %}{% endif %}{% endfor -%}\n{% endfor -%}\n{% endfor -%}\n";
    let workspace = with_template("path: extra/much.txt\n", body);
    let begin = std::time::Instant::now();
    let (status, text) = bounded(&workspace, "check lab.yaml --templates templates");
    assert!(
        status == 1 && text.contains("templates/extra/much.txt:12:1: error[CB0015]"),
        "{status} {text}"
    );
    assert!(begin.elapsed().as_secs() < 60, "{:?}", begin.elapsed());
}

/// `in` and `==` look at the whole list, and nothing counts them: a step weighs as much as what the template holds.
#[test]
fn looking_through_a_long_list_again_and_again_ends_too() {
    let held = "{% set held = range(end=100000) -%}\n";
    for body in [
        "{% for a in range(end=100000) %}{% for b in range(end=40) %}{% if 100001 in held %}{% endif %}{% endfor %}{% endfor -%}\n",
        "{% set same = range(end=100000) %}{% for a in range(end=100000) %}{% for b in range(end=40) %}{% if held == same %}{% endif %}{% endfor %}{% endfor -%}\n",
    ] {
        let workspace = with_template("path: extra/much.txt\n", &format!("{held}{body}"));
        let (status, text) = bounded(&workspace, "check lab.yaml --templates templates");
        assert!(status == 1 && text.contains("error[CB0015]"), "{status} {text}");
    }
}
