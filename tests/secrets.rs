//! The secret gate: a secret anywhere in an inventory or a template fails the run, and nothing ever prints it.

use crate::harness::{Ran, Workspace, expect_none, read_tree, root};
use crate::support::fields::Plant;

mod findings;

/// The secret that must never be printed.
const CANARY: &str = "C4nary-7f3a91Zq";
const FORMATS: [&str; 5] = ["human", "short", "json", "sarif", "github"];

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group = chunk
            .iter()
            .fold(0u32, |group, byte| group << 8 | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let index = usize::try_from(group >> (18 - 6 * place) & 63).expect("six bits");
            text.push(if place <= chunk.len() {
                char::from(LETTERS[index])
            } else {
                '='
            });
        }
    }
    text
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// The secret as somebody might write it.
fn forms() -> [String; 5] {
    let plain = format!("Password={CANARY}");
    let wide: Vec<u8> = plain.encode_utf16().flat_map(u16::to_le_bytes).collect();
    [
        base64(plain.as_bytes()),
        hexadecimal(plain.as_bytes()),
        base64(&wide),
        hexadecimal(&wide),
        plain,
    ]
}

/// What of the secret is in a text: the secret itself, or the beginning of one of its forms.
fn leak(text: &str) -> Option<String> {
    let beginnings = forms()
        .into_iter()
        .map(|form| form.chars().take(20).collect::<String>());
    let text = text.to_lowercase();
    std::iter::once(CANARY.to_owned())
        .chain(beginnings)
        .find(|piece| text.contains(&piece.to_lowercase()))
}

/// Runs the program in every message format; the last result is that of `short`.
fn check(workspace: &Workspace, arguments: &[&str], complaints: &mut Vec<String>) -> Ran {
    let mut last = None;
    for format in FORMATS
        .iter()
        .filter(|format| **format != "short")
        .chain(&["short"])
    {
        let mut arguments = arguments.to_vec();
        arguments.extend(["--message-format", format]);
        let ran = workspace.run(&arguments);
        if ran.code != 1 {
            complaints.push(format!("{format}: status {}", ran.code));
        }
        for text in [&ran.stdout, &ran.stderr] {
            if let Some(piece) = leak(text) {
                let line = text.lines().find(|line| leak(line).is_some()).unwrap_or_default();
                let line: String = line.chars().take(300).collect();
                complaints.push(format!("{format}: prints `{piece}`: {line}"));
            }
        }
        last = Some(ran);
    }
    last.expect("there are formats")
}

#[test]
fn a_secret_in_any_field_of_an_inventory_is_refused_and_never_printed() {
    let (plant, workspace) = (Plant::new(), Workspace::new());
    let mut arguments = vec!["check".to_owned()];
    for (number, field) in plant.fields.iter().enumerate() {
        for (index, form) in forms().iter().enumerate() {
            arguments.push(plant.write(&workspace, &format!("{number}-{index}"), field, form));
        }
    }
    assert!(plant.fields.len() > 30, "only {} fields", plant.fields.len());
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut complaints = Vec::new();
    let ran = check(&workspace, &arguments, &mut complaints);
    for inventory in arguments.iter().skip(1) {
        let folder = inventory.split('/').next().unwrap_or_default();
        let refused = ran
            .stderr
            .lines()
            .any(|line| line.starts_with(&format!("{folder}/")) && line.contains(": error["));
        if !refused {
            complaints.push(format!(
                "{inventory} is accepted: field {}",
                plant.fields[folder_number(folder)].name
            ));
        }
    }
    let mut build = vec!["build"];
    build.extend(&arguments[1..10]);
    assert_eq!(workspace.run(&build).code, 1);
    assert!(!workspace.folder().join("out").exists(), "something was written");
    expect_none(&complaints);
}

fn folder_number(folder: &str) -> usize {
    folder
        .split('-')
        .next()
        .and_then(|number| number.parse().ok())
        .expect("a number")
}

#[test]
fn a_secret_in_a_template_is_refused_and_never_printed() {
    let mut complaints = Vec::new();
    for form in forms() {
        let workspace = Workspace::new();
        for (name, bytes) in read_tree(&root().join("inventories")) {
            workspace.write(
                &format!("inventories/{name}"),
                std::str::from_utf8(&bytes).expect("UTF-8"),
            );
        }
        let front = "---\ntitle: Report\nscope: deployment\npath: report.txt\nformat: text\neffect: read\nphase: verify\n---\n";
        workspace.write("templates/report.txt", &format!("{front}Value {form}\n"));
        // A syntax error on the same line must not show it either.
        workspace.write(
            "broken/report.txt",
            &format!("{front}Value {form} {{{{ nothing\n"),
        );
        for templates in ["templates", "broken"] {
            let ran = check(
                &workspace,
                &["check", "inventories/lab.yaml", "--templates", templates],
                &mut complaints,
            );
            if !ran.stderr.contains("CB0509") {
                complaints.push(format!("{templates}: {}", ran.stderr));
            }
        }
    }
    expect_none(&complaints);
}

#[test]
fn shipped_inventories_and_templates_hold_no_suspects() {
    let mut suspects = Vec::new();
    for folder in ["out", "templates"] {
        let files = read_tree(&root().join(folder));
        // Whoever has built something here has archives too; what they hold lies beside them.
        for (name, bytes) in files.into_iter().filter(|(name, _)| !name.ends_with(".zip")) {
            let text = String::from_utf8(bytes).expect("UTF-8");
            for suspect in cbgen::secrets::scan_plain(&text, &[]) {
                let line = text[..suspect.name.start].lines().count();
                suspects.push(format!("{folder}/{name}:{line}: {}", suspect.position));
            }
        }
    }
    expect_none(&suspects);
    let workspace = Workspace::new();
    for (name, bytes) in read_tree(&root().join("inventories")) {
        workspace.write(
            &format!("inventories/{name}"),
            std::str::from_utf8(&bytes).expect("UTF-8"),
        );
    }
    for inventory in ["prod", "plant", "lab", "branch"] {
        let ran = workspace.run(&[
            "check",
            &format!("inventories/{inventory}.yaml"),
            "--message-format",
            "short",
        ]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    }
}

/// Part of every secret of the tables below. No output may hold it.
const HUNTER: &str = "hunter2Zq9";

/// Runs the program in every message format and complains about every part of a secret; gives what `short` printed.
fn silent(workspace: &Workspace, arguments: &[&str], complaints: &mut Vec<String>) -> String {
    let mut last = String::new();
    for format in FORMATS {
        let mut arguments = arguments.to_vec();
        arguments.extend(["--message-format", format]);
        let ran = workspace.run(&arguments);
        if ran.code != 1 {
            complaints.push(format!("{format}: status {}: {}", ran.code, ran.stderr));
        }
        for line in ran.stdout.lines().chain(ran.stderr.lines()) {
            if line.contains(HUNTER) || line.contains("hunter2") {
                complaints.push(format!(
                    "{format}: {}",
                    line.chars().take(300).collect::<String>()
                ));
            }
        }
        if format == "short" {
            last = ran.stderr;
        }
    }
    last
}

#[test]
fn no_finding_prints_a_value_below_a_secret_key_or_in_a_private_key() {
    const PASSWORD: &str = "password: { secret: CALLBACK_REPORT_PASSWORD }";
    const CHANGE: &str = "change: CHG0042007";
    let text = std::fs::read_to_string(root().join("inventories/plant.yaml")).expect("an inventory");
    let workspace = Workspace::shipped();
    let mut arguments = vec!["check".to_owned()];
    for (from, to) in [
        (PASSWORD, "password: *hunter2Zq9"),
        (PASSWORD, "password: &hunter2Zq9 { a: *hunter2Zq9 }"),
        (PASSWORD, "password: {hunter2Zq9: 1}"),
        (PASSWORD, "password: { hunter2Zq9: 1, hunter2Zq9: 2 }"),
        (PASSWORD, "password: { secret: hunter2Zq9 }"),
        (PASSWORD, "password: { secret: { hunter2Zq9: x } }"),
        (PASSWORD, "password: [hunter2Zq9, hunter2Zq9]"),
        (PASSWORD, "password: \"hunter2Zq9"),
        (PASSWORD, "password: hunter2Zq9: x"),
        (PASSWORD, "password: !hunter2Zq9 x"),
        (PASSWORD, "password: @hunter2Zq9"),
        (PASSWORD, "password: %hunter2Zq9"),
        (PASSWORD, "password: \"\\hunter2Zq9\""),
        (PASSWORD, "password: |\n      hunter2Zq9"),
        (PASSWORD, "password:\n      hunter2Zq9: 1"),
        (PASSWORD, "password:\n      - hunter2Zq9: 1\n      - *hunter2Zq9"),
        (PASSWORD, "password:\n      secret: hunter2Zq9"),
        (PASSWORD, "passwort: hunter2Zq9"),
        (PASSWORD, "api_token: hunter2Zq9"),
        // Slips of the pen and short forms; any unknown value in a section that names secrets.
        (PASSWORD, "pasword: hunter2Zq9"),
        (PASSWORD, "paswd: hunter2Zq9"),
        (PASSWORD, "secrt: hunter2Zq9"),
        (PASSWORD, "pw: hunter2Zq9"),
        (PASSWORD, "ole_pw: hunter2Zq9"),
        (PASSWORD, "login: hunter2Zq9"),
        ("server: ", "pasword: hunter2Zq9\n  server: "),
        ("server: ", "paswd: hunter2Zq9\n  server: "),
        ("server: ", "secrt: hunter2Zq9\n  server: "),
        ("server: ", "pw: hunter2Zq9\n  server: "),
        ("server: ", "ole_pw: hunter2Zq9\n  server: "),
        ("server: ", "login: hunter2Zq9\n  server: "),
        ("server: ", "pasword: \"hunter2Zq9\n  server: "),
        (CHANGE, "change: 'Driver;pw=hunter2Zq9'"),
        (CHANGE, "change: 'Driver;Pw=hunter2Zq9;x'"),
        (CHANGE, "pasword: hunter2Zq9\n  change: '!'"),
        (
            CHANGE,
            "change: '-----BEGIN RSA PRIVATE KEY----- hunter2Zq9MIIEpAIBAAKCAQEA'",
        ),
        (
            CHANGE,
            "change: |\n-----BEGIN RSA PRIVATE KEY-----\nhunter2Zq9MIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----",
        ),
        (
            CHANGE,
            "change: |\n    -----BEGIN PRIVATE KEY-----\n  hunter2Zq9MIIEpAIBAAKCAQEA\n x",
        ),
        (CHANGE, "change: AKIAHUNTER2ZQ9EXAMPLE"),
        (CHANGE, "change: ghp_hunter2Zq9abcdefghijklmnop0123"),
        (CHANGE, "change: hunter2Zq9/bPxRfiC7EXAmpL4KeYq8ZxW3vT"),
        (
            CHANGE,
            "change: 'https://x.example/?sv=1&sig=hunter2Zq9abcdefg%3D'",
        ),
        (CHANGE, "change: 'net user svc hunter2Zq9'"),
    ] {
        assert!(text.contains(from), "{from}");
        let name = format!("inventories/case{}.yaml", arguments.len());
        workspace.write(&name, &text.replace(from, to));
        arguments.push(name);
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut complaints = Vec::new();
    let printed = silent(&workspace, &arguments, &mut complaints);
    for name in &arguments[1..] {
        if !printed
            .lines()
            .any(|line| line.starts_with(name) && line.contains(": error["))
        {
            complaints.push(format!("{name} is accepted"));
        }
    }
    expect_none(&complaints);
}

/// Lines of templates that must not enter a bundle.
const LINES: &[&str] = &[
    r#"<add key="Password" value="hunter2Zq9" />"#,
    r#"<add key="VHApiKey" value="hunter2Zq9" />"#,
    r#"{default_pass, <<"hunter2Zq9">>}"#,
    r#"proxy_set_header Authorization "Basic hunter2Zq9";"#,
    r#"proxy_set_header X-Api-Key "hunter2Zq9";"#,
    r#"{"pass\u0077ord": "hunter2Zq9"}"#,
    "\"password\":\n  \"hunter2Zq9\"",
    "net.exe user svc hunter2Zq9 /add",
    "sqlcmd -S x -U sa -P hunter2Zq9",
    "rabbitmqctl change_password guest hunter2Zq9",
    r#"{""password"":""hunter2Zq9""}"#,
    r#"set "SECRET_KEY=hunter2Zq9""#,
    r#"set "DBPASS=hunter2Zq9""#,
    r#"set "PASSWORD1=hunter2Zq9""#,
    r#"set "PASSWORD_HASH=hunter2Zq9""#,
    "AccountKey=hunter2Zq9",
    "ERLANG_COOKIE=hunter2Zq9",
    "password: +hunter2Zq9",
    "password: '*hunter2Zq9'",
    "password: $hunter2Zq9!",
    "ghp_hunter2Zq9abcdefghijklmnop0123",
    "openssl pkcs12 -passin pass:hunter2Zq9",
];

#[test]
fn no_secret_reaches_a_text_whatever_its_position() {
    let workspace = Workspace::shipped();
    let front = |number: usize| {
        format!(
            "---\ntitle: Report\nscope: deployment\npath: report{number}.txt\nformat: text\neffect: read\nphase: verify\n---\n"
        )
    };
    let canary = format!("Password={CANARY}");
    let colons: Vec<String> = canary.bytes().map(|byte| format!("{byte:02x}")).collect();
    let twice = base64(base64(canary.as_bytes()).as_bytes());
    let long = base64(format!("This line is long enough to be broken: {canary}").as_bytes());
    let wrapped = format!("{}\n{}\n{}", &long[..24], &long[24..48], &long[48..]);
    let mut lines: Vec<String> = LINES.iter().map(|line| (*line).to_owned()).collect();
    lines.extend([colons.join(":"), colons.join(" "), twice, wrapped]);
    for (number, line) in lines.iter().enumerate() {
        workspace.write(
            &format!("templates/report{number}.txt"),
            &format!("{}{line}\n", front(number)),
        );
    }
    let mut complaints = Vec::new();
    let arguments = ["check", "inventories/lab.yaml", "--templates", "templates"];
    let printed = silent(&workspace, &arguments, &mut complaints);
    for (number, line) in lines.iter().enumerate() {
        if !printed.contains(&format!("report{number}.txt:")) {
            complaints.push(format!("a template may hold {line}"));
        }
    }
    // Neither the template nor the inventory looks suspicious alone, and the name stands above the value.
    let front = front(0)
        .replace("format: text", "format: json")
        .replace(".txt", ".json");
    workspace.write(
        "apart/report.json",
        &format!("{front}{{\"password\": {{\"kind\": 1, \"value\": \"{{{{ bundle.change }}}}\"}}}}\n"),
    );
    let lab = std::fs::read_to_string(root().join("inventories/prod.yaml")).expect("an inventory");
    workspace.write("inventories/apart.yaml", &lab.replace("CHG0041873", HUNTER));
    let arguments = ["check", "inventories/apart.yaml", "--templates", "apart"];
    let printed = silent(&workspace, &arguments, &mut complaints);
    if !printed.contains("CB0605") {
        complaints.push(format!("a value below its name is accepted: {printed}"));
    }
    expect_none(&complaints);
}

#[test]
fn no_comparison_prints_a_secret() {
    let workspace = Workspace::new();
    let lab = read_tree(&root().join("out/acme-lab"));
    let config = "servers/LAB01/config/VirtualHoldPub";
    let edits = [
        (
            format!("{config}/VHQWatch/web.config.xdt"),
            "</configuration>",
            "<appSettings><add key=\"Password\" value=\"hunter2Zq9\" xdt:Transform=\"SetAttributes(value)\" xdt:Locator=\"Match(key)\"/></appSettings></configuration>",
        ),
        (
            format!("{config}/launchpad/settings.js.json"),
            "",
            "{\"password\":{\"value\":\"hunter2Zq9\"}}",
        ),
        (
            "servers/LAB01/nginx/nginx.conf".into(),
            "server_tokens off;",
            "server_tokens off; set $password hunter2Zq9;",
        ),
        (
            "servers/LAB01/registry/strong-crypto.reg".into(),
            "\n[",
            "\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\X\\Password]\n\"Data\"=\"hunter2Zq9\"\n\n[",
        ),
        (
            "deployment/sql/ws-configuration.sql".into(),
            "SET XACT_ABORT ON;",
            "SET XACT_ABORT ON;\nDECLARE @password nvarchar(64) = N'hunter2Zq9';\nINSERT INTO t (name, password) VALUES (N'a', N'hunter2Zq9');",
        ),
        (
            "servers/LAB01/iis/apply-bindings.cmd".into(),
            "@echo off",
            "@echo off\nset \"SECRET_KEY=hunter2Zq9\"\nnet user svc hunter2Zq9 /add",
        ),
        (
            "manifest.json".into(),
            "\"version\": \"2026",
            "\"change\": \"Token=hunter2Zq9\", \"version\": \"Password=hunter2Zq9 2026",
        ),
    ];
    for (name, bytes) in lab {
        let text = String::from_utf8(bytes).expect("UTF-8");
        workspace.write(&format!("old/{name}"), &text);
        let mut new = text.clone();
        for (_, from, to) in edits.iter().filter(|(edited, _, _)| *edited == name) {
            new = if from.is_empty() {
                (*to).to_owned()
            } else {
                text.replacen(from, to, 1)
            };
            assert_ne!(new, text, "{name} holds no {from}");
        }
        workspace.write(&format!("new/{name}"), &new);
    }
    let mut complaints = Vec::new();
    for format in ["text", "markdown", "json", "html"] {
        for sides in [["old", "new"], ["new", "old"]] {
            let ran = workspace.run(&["diff", sides[0], sides[1], "--format", format]);
            if ran.code != 1 || !ran.stdout.contains("looks like a secret") {
                complaints.push(format!("{format}: status {}: {}", ran.code, ran.stderr));
            }
            for line in ran.stdout.lines().chain(ran.stderr.lines()) {
                if let Some(at) = line.find("hunter2") {
                    let from = line.get(at.saturating_sub(150)..).unwrap_or(line);
                    complaints.push(format!(
                        "{format}: {}",
                        from.chars().take(300).collect::<String>()
                    ));
                }
            }
        }
    }
    expect_none(&complaints);
}

#[cfg(unix)]
#[test]
fn a_link_in_a_tree_is_not_followed() {
    let workspace = Workspace::new();
    for (name, bytes) in read_tree(&root().join("out/acme-lab")) {
        let text = String::from_utf8(bytes).expect("UTF-8");
        for side in ["old", "file", "folder"] {
            workspace.write(&format!("{side}/{name}"), &text);
        }
    }
    workspace.write("elsewhere/nginx.conf", &format!("{HUNTER}\n"));
    let at = |name: &str| workspace.folder().join(name);
    let link = |target: &str, name: &str| {
        std::os::unix::fs::symlink(at(target), at(name)).expect("a link");
    };
    std::fs::remove_file(at("file/servers/LAB01/nginx/nginx.conf")).expect("the file");
    link("elsewhere/nginx.conf", "file/servers/LAB01/nginx/nginx.conf");
    std::fs::remove_dir_all(at("folder/servers/LAB01/nginx")).expect("the folder");
    link("elsewhere", "folder/servers/LAB01/nginx");
    for side in ["file", "folder"] {
        let ran = workspace.run(&["diff", "old", side]);
        assert_eq!(ran.code, 2, "{side}: {}", ran.stdout);
        assert!(ran.stderr.contains("CB0901"), "{side}: {}", ran.stderr);
        assert!(
            !ran.stdout.contains(HUNTER) && !ran.stderr.contains(HUNTER),
            "{side}"
        );
    }
}

#[test]
fn every_case_of_the_table_is_found_or_passes() {
    let table = std::fs::read_to_string(root().join("tests/secrets/cases.txt")).expect("the table");
    let (mut complaints, mut found, mut passed) = (Vec::new(), 0, 0);
    for line in table
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let (sign, text) = line.split_at(2);
        let text = text.replace('¦', "").replace("\\n", "\n");
        let suspects = cbgen::secrets::scan(&text, &["CALLBACK_REPORT_PASSWORD"]);
        match (sign, suspects.is_empty()) {
            ("+ ", false) => found += 1,
            ("- ", true) => passed += 1,
            ("+ ", true) => complaints.push(format!("passes: {text}")),
            ("- ", false) => complaints.push(format!("false alarm ({}): {text}", suspects[0].position)),
            _ => complaints.push(format!("no case: {line}")),
        }
    }
    assert!(
        complaints.len() + found + passed > 100,
        "the table lost its cases"
    );
    expect_none(&complaints);
}
