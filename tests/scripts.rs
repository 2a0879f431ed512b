//! Generated scripts run from beginning to end in Wine's command interpreter, also with every program failing once.
//!
//! Wine is not cmd.exe: quoting and percent signs are proved by the model in `compiler/formats/cmd`, the flow here.
//! A missing program (Wine, mingw, openssl) is a failure: an untested script must not look tested.
#![expect(clippy::panic, reason = "a test that meets an unexpected call fails there")]

mod bindings;
mod chain;
mod exported;
mod lines;
pub(crate) mod machine;
mod openssl;
mod start;
mod values;

use std::collections::BTreeSet;
use std::fs;
use std::sync::LazyLock;

use crate::harness::Workspace;
use machine::{Answer, Call, Machine, Outcome, good};

/// One Core and one Management server, everything switched on.
const INVENTORY: &str = r"
schema: cbgen/v1
bundle: { name: scripts, version: '1.0' }
product: { version: 9.5.3, high_availability: false, core_monitor_root: 'C:\Core Monitor' }
proxy: { fqdn: callback.acme.example }
certificate: { kind: ca_issued, pfx: 'C:\hand off\callback.pfx' }
iis: { x_frame_options: SAMEORIGIN, custom_error_page: true }
sql:
  version: 2016
  server: 'SQL01\CALLBACK'
  access: [odbc, ole]
  ole: { authentication: sql, user: callback_report, password: { secret: CALLBACK_REPORT_PASSWORD } }
windows_tls: { disable_legacy_protocols: true }
network: { firewall: true }
servers:
  - { name: CORE01, fqdn: core01.acme.example, roles: [core], windows: 2016, dotnet: 4.7.1 }
  - { name: MGMT01, fqdn: mgmt01.acme.example, roles: [management], windows: 2016, dotnet: 4.7.1 }
";

static ARCHIVE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let workspace = Workspace::new();
    workspace.write("inventory.yaml", INVENTORY);
    let ran = workspace.run(&["build", "inventory.yaml"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    fs::read(workspace.folder().join("out/scripts-1.0.zip")).expect("an archive")
});

const PROGRAMS: &[&str] = &[
    "net",
    "reg",
    "find",
    "findstr",
    "fc",
    "icacls",
    "netsh",
    "certutil",
    "sc",
    "netstat",
    "ping",
    "where",
    "sqlcmd",
    "inetsrv/appcmd",
    "WindowsPowerShell/v1.0/powershell",
];

fn machine(name: &str) -> Machine {
    Machine::new(name, &ARCHIVE, PROGRAMS)
}

/// Small models of the text tools.
fn text_tool(machine: &Machine, call: &Call) -> Option<Answer> {
    let read = |path: &str| fs::read_to_string(machine.unix(path)).map(|text| text.replace('\r', ""));
    let words: Vec<&str> = call.arguments.iter().map(String::as_str).collect();
    match call.program.as_str() {
        "find" => {
            let text = read(words.last()?).ok()?;
            Some(Answer::Code(
                i32::from(!text.contains(words.first()?)),
                String::new(),
            ))
        }
        "fc" => Some(Answer::Code(
            i32::from(read(words.get(1)?).ok()? != read(words.get(2)?).ok()?),
            String::new(),
        )),
        "findstr" => {
            let text = read(words.last()?)
                .unwrap_or_else(|_| panic!("findstr reads a file that is not there: {words:?}"));
            let has = |option: &str| words.iter().any(|word| word.eq_ignore_ascii_case(option));
            let needles: Vec<&str> = words.iter().filter_map(|word| word.strip_prefix("/c:")).collect();
            let hit = |line: &str| {
                needles
                    .iter()
                    .any(|needle| match (has("/b"), has("/i"), has("/r")) {
                        (true, ..) => line.starts_with(needle),
                        (_, true, _) => line.to_lowercase().contains(&needle.to_lowercase()),
                        (_, _, true) => pattern(needle, line),
                        _ => line.contains(needle),
                    })
            };
            let found: Vec<&str> = text
                .lines()
                .filter(|line| hit(line) != has("/v"))
                .chain([""])
                .collect();
            let lines = found.join("\n");
            Some(Answer::Code(i32::from(lines.is_empty()), lines))
        }
        "net" if words == ["session"] => Some(good()),
        "icacls" | "ping" => Some(good()),
        _ => None,
    }
}

/// Whether a pattern of findstr stands in a line: letters, `.`, classes, escapes, each perhaps with a `*`. Runs of blanks
/// count as one, because columns differ between versions of Windows.
fn pattern(needle: &str, line: &str) -> bool {
    let single = |text: &str| {
        text.split(' ')
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    };
    let line: Vec<char> = single(line).chars().collect();
    let needle: Vec<char> = single(&needle.replace("  *", " ")).trim_end().chars().collect();
    (0..=line.len()).any(|at| matches_here(&needle, &line[at..]))
}

/// Whether a pattern stands at the beginning of a text.
fn matches_here(needle: &[char], text: &[char]) -> bool {
    let length = match needle {
        [] => return true,
        ['\\', _, ..] => 2,
        ['[', rest @ ..] => 2 + rest.iter().position(|c| *c == ']').expect("a closed class"),
        _ => 1,
    };
    let (element, rest) = needle.split_at(length);
    let fits = |c: char| match element {
        ['\\', escaped] => c == *escaped,
        ['[', class @ .., ']'] => {
            class
                .iter()
                .enumerate()
                .any(|(at, from)| match class.get(at + 1..at + 3) {
                    Some(['-', to]) => (*from..=*to).contains(&c),
                    _ => *from == c,
                })
        }
        ['.'] => true,
        _ => element == [c],
    };
    if let Some(('*', rest)) = rest.split_first().map(|(star, rest)| (*star, rest)) {
        let most = text.iter().take_while(|c| fits(**c)).count();
        return (0..=most).any(|taken| matches_here(rest, &text[taken..]));
    }
    text.first().is_some_and(|c| fits(*c)) && matches_here(rest, &text[1..])
}

/// Answers the text tools, lets Wine do the registry, and fails the call with this number; 0 fails none.
fn registry_answer(machine: &Machine, failing: usize) -> impl FnMut(usize, &Call) -> Answer + '_ {
    move |number, call| {
        if number == failing {
            return Answer::Code(9, String::new());
        }
        match call.program.as_str() {
            "reg" => Answer::Native,
            _ => text_tool(machine, call).unwrap_or_else(|| panic!("unexpected {}", call.line())),
        }
    }
}

const KEY: &str = r"HKLM\SOFTWARE\WOW6432Node\Virtual Hold";
const APPLY: &str = "servers/CORE01/registry/apply-registry.cmd";
const ROLLBACK: &str = "servers/CORE01/registry/rollback-registry.cmd";

#[test]
fn registry_values_come_and_go_exactly() {
    let machine = machine("CORE01");
    let query = || machine.reg(&["query", KEY, "/v", "VHQMWSPATH"]);
    let set = |name: &str, data: &str| assert!(machine.reg(&["add", KEY, "/v", name, "/d", data, "/f"]).0);
    let new = "https://callback.acme.example/VHQMWS/VHQMWS.asmx";

    machine
        .run(ROLLBACK, registry_answer(&machine, 0))
        .expect_failure("find the saved state", "nothing to take back");
    // A value that was not there before.
    set("Other", "stays");
    machine
        .run(APPLY, registry_answer(&machine, 0))
        .expect_success("All values are in place");
    assert!(query().1.contains(new));
    machine
        .run(APPLY, registry_answer(&machine, 0))
        .expect_success("All values are in place");
    machine
        .run(ROLLBACK, registry_answer(&machine, 0))
        .expect_success("The old values are back");
    assert!(!query().0, "the value is gone");
    assert!(machine.reg(&["query", KEY, "/v", "Other"]).1.contains("stays"));
    machine
        .run(ROLLBACK, registry_answer(&machine, 0))
        .expect_success("rolled back before");

    // A former value, with characters that mean something to cmd.exe; work of others survives the way back. A percent
    // sign is not among them: Wine expands the value of a variable once more, cmd.exe does not.
    let old = "http://old  host/a&b=(x86)/!VHQMWS.asmx";
    set("VHQMWSPATH", old);
    let before = query();
    machine
        .run(APPLY, registry_answer(&machine, 0))
        .expect_success("All values are in place");
    machine
        .run(APPLY, registry_answer(&machine, 0))
        .expect_success("All values are in place");
    set("Other", "changed later");
    machine
        .run(ROLLBACK, registry_answer(&machine, 0))
        .expect_success("The old values are back");
    assert_eq!(query(), before);
    assert!(
        machine
            .reg(&["query", KEY, "/v", "Other"])
            .1
            .contains("changed later")
    );

    // Every program fails once: the script stops there, or the value is right all the same.
    for script in [APPLY, ROLLBACK] {
        let whole = machine.run(script, registry_answer(&machine, 0)).calls.len();
        for failing in 1..=whole {
            machine.forget();
            set("VHQMWSPATH", old);
            if script == ROLLBACK {
                machine
                    .run(APPLY, registry_answer(&machine, 0))
                    .expect_success("All values are in place");
            }
            let outcome = machine.run(script, registry_answer(&machine, failing));
            if outcome.code == 0 {
                assert!(
                    query().1.contains(if script == APPLY { new } else { old }),
                    "{outcome:#?}"
                );
            } else {
                stopped_at(&outcome, failing);
            }
            machine
                .run(script, registry_answer(&machine, 0))
                .expect_success("");
        }
        machine.forget();
        set("VHQMWSPATH", old);
        machine
            .run(APPLY, registry_answer(&machine, 0))
            .expect_success("All values are in place");
    }

    // Not on this server, and a value the script must not touch.
    machine.forget();
    machine
        .run(
            "servers/MGMT01/registry/apply-windows-tls.cmd",
            registry_answer(&machine, 0),
        )
        .expect_failure("check that this is MGMT01", "made for MGMT01; this is CORE01");
    set("VHQMWSPATH", "a \" quote");
    machine
        .run(APPLY, registry_answer(&machine, 0))
        .expect_failure("save the old value", "holds a quote");
    assert!(query().1.contains("a \" quote"));
    assert!(machine.reg(&["delete", KEY, "/f"]).0);
}

/// The failing call is the last one, but for cleaning, and the message names a step.
#[track_caller]
fn stopped_at(outcome: &Outcome, failing: usize) {
    assert!(
        outcome.code == 1 && outcome.output.contains("FAILED at step: "),
        "{outcome:#?}"
    );
    assert!(
        outcome.output.contains("Nothing after this step was done."),
        "{outcome:#?}"
    );
    assert_eq!(
        outcome.calls.len(),
        failing,
        "something ran after the failure: {outcome:#?}"
    );
}

#[test]
fn windows_tls_values_match_their_files() {
    let machine = machine("MGMT01");
    for name in ["windows-tls", "legacy-protocols"] {
        let script = |kind: &str| format!("servers/MGMT01/registry/{kind}-{name}.cmd");
        let all = || {
            machine
                .reg(&[
                    "query",
                    r"HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL",
                    "/s",
                ])
                .1
        };
        let before = all();
        machine
            .run(&script("apply"), registry_answer(&machine, 0))
            .expect_success("All values are in place");
        assert_ne!(all(), before);
        machine
            .run(&script("rollback"), registry_answer(&machine, 0))
            .expect_success("The old values are back");
        let values = |text: &str| text.lines().filter(|line| line.starts_with(' ')).count();
        assert_eq!(values(&all()), values(&before), "every added value is gone");
    }
}

/// IIS as far as the scripts see it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Iis {
    bindings: Vec<String>,
    backups: BTreeSet<String>,
    page: [String; 3],
}

impl Iis {
    fn new(bindings: &[&str]) -> Self {
        Self {
            bindings: bindings.iter().map(|&binding| binding.to_owned()).collect(),
            backups: BTreeSet::new(),
            page: ["DetailedLocalOnly".into(), "File".into(), String::new()],
        }
    }

    fn appcmd(&mut self, call: &Call) -> Answer {
        let words: Vec<&str> = call.arguments.iter().map(String::as_str).collect();
        let names = ["errorMode", "defaultResponseMode", "defaultPath"];
        match words.as_slice() {
            ["list", "site", "Default Web Site"] => good(),
            ["list", "site", "Default Web Site", "/text:bindings"] => {
                Answer::Code(0, self.bindings.join(",") + "\n")
            }
            ["list", "backup", name] => Answer::Code(i32::from(!self.backups.contains(*name)), String::new()),
            ["add", "backup", name] => {
                Answer::Code(i32::from(!self.backups.insert((*name).to_owned())), String::new())
            }
            ["set", "site", "/site.name:Default Web Site", change] => {
                let parts: Vec<&str> = change.split('\'').collect();
                let binding = format!("{}/{}", parts[1], parts[3]);
                let at = self.bindings.iter().position(|known| *known == binding);
                match (change.starts_with("/+bindings.["), at) {
                    (true, None) => self.bindings.push(binding),
                    (false, Some(at)) if change.starts_with("/-bindings.[") => drop(self.bindings.remove(at)),
                    _ => return Answer::Code(87, "ERROR\n".into()),
                }
                good()
            }
            [
                "list",
                "config",
                "Default Web Site",
                "-section:system.webServer/httpErrors",
                attribute,
            ] => {
                let at = names
                    .iter()
                    .position(|name| attribute.strip_prefix("/text:") == Some(name))
                    .expect("known");
                Answer::Code(0, format!("{}\n", self.page[at]))
            }
            [
                "set",
                "config",
                "Default Web Site",
                "-section:system.webServer/httpErrors",
                a,
                b,
                c,
                "/commit:apphost",
            ] => {
                for (at, (name, word)) in names.iter().zip([a, b, c]).enumerate() {
                    word.strip_prefix(&format!("-{name}:"))
                        .expect("in order")
                        .clone_into(&mut self.page[at]);
                }
                good()
            }
            _ => panic!("unexpected {}", call.line()),
        }
    }
}

fn iis_run(machine: &Machine, iis: &mut Iis, script: &str, failing: usize) -> Outcome {
    machine.run(&format!("servers/MGMT01/iis/{script}.cmd"), |number, call| {
        if number == failing {
            return Answer::Code(9, String::new());
        }
        if call.program == "appcmd" {
            iis.appcmd(call)
        } else {
            text_tool(machine, call).expect("a known program")
        }
    })
}

#[test]
fn iis_bindings_and_error_page_come_and_go() {
    let machine = machine("MGMT01");
    let stock = Iis::new(&["http/*:80:", "net.tcp/808:*", "https/*:443:"]);
    for name in ["bindings", "error-page"] {
        let (apply, back) = (format!("apply-{name}"), format!("rollback-{name}"));
        machine.forget();
        let mut iis = stock.clone();
        let whole = iis_run(&machine, &mut iis, &apply, 0);
        whole.expect_success(if name == "bindings" {
            "IIS listens on 127.0.0.1 only"
        } else {
            "The error page is set"
        });
        let wanted = iis.clone();
        let saved = machine.saved();
        if name == "bindings" {
            assert_eq!(iis.bindings, ["net.tcp/808:*", "http/127.0.0.1:80:"]);
        } else {
            let page = "https://callback.acme.example/EyeQueue/EyeQErrorPage.aspx";
            assert_eq!(iis.page, ["Custom", "Redirect", page]);
        }
        iis_run(&machine, &mut iis, &apply, 0).expect_success("");
        assert_eq!(iis, wanted, "a second run changes nothing");
        let way_back = iis_run(&machine, &mut iis, &back, 0);
        way_back.expect_success("");
        let sorted = |iis: &Iis| {
            (
                iis.bindings.iter().cloned().collect::<BTreeSet<_>>(),
                iis.page.clone(),
            )
        };
        assert_eq!(sorted(&iis), sorted(&stock));
        iis_run(&machine, &mut iis, &back, 0).expect_success("rolled back before");

        for (script, calls) in [(&apply, whole.calls.len()), (&back, way_back.calls.len())] {
            for failing in 1..=calls {
                machine.forget();
                let mut iis = stock.clone();
                if script == &back {
                    machine.restore(&saved);
                    iis = wanted.clone();
                }
                let outcome = iis_run(&machine, &mut iis, script, failing);
                let goal = if script == &apply { &wanted } else { &stock };
                if outcome.code == 0 {
                    assert_eq!(sorted(&iis), sorted(goal), "{outcome:#?}");
                } else {
                    stopped_at(&outcome, failing);
                }
            }
        }
    }
    machine.forget();
    let mut iis = Iis::new(&[
        "http/*:80:",
        "http/*:80:intranet.acme.example",
        "https/10.0.0.1:443:",
    ]);
    iis_run(&machine, &mut iis, "apply-bindings", 0)
        .expect_failure("read the bindings back", "Note it, remove it");
}

#[test]
fn firewall_rules_come_and_go() {
    let machine = machine("MGMT01");
    let run = |rules: &mut Vec<String>, script: &str, failing: usize| {
        machine.run(
            &format!("servers/MGMT01/firewall/{script}.cmd"),
            |number, call| {
                let Some(verb) = call
                    .arguments
                    .get(2)
                    .filter(|_| call.program == "netsh" && number != failing)
                else {
                    return if number == failing {
                        Answer::Code(9, String::new())
                    } else {
                        text_tool(&machine, call).expect("known")
                    };
                };
                let rule = call.arguments[4..].join(" ");
                let name = |rule: &str| rule.split(" dir=").next().unwrap_or_default().to_owned();
                let known = rules.iter().any(|other| name(other) == name(&rule));
                match verb.as_str() {
                    "add" => rules.push(rule),
                    "delete" => rules.retain(|other| name(other) != name(&rule)),
                    _ => {}
                }
                Answer::Code(i32::from(verb != "add" && !known), String::new())
            },
        )
    };
    let mut rules = Vec::new();
    let whole = run(&mut rules, "apply-firewall", 0);
    whole.expect_success("All rules are in place");
    let wanted = rules.clone();
    for rule in [
        "name=cbgen scripts allow 443 Reverse proxy dir=in action=allow enable=yes profile=any protocol=TCP localport=443",
        "name=cbgen scripts block 2800 Authorization API dir=in action=block enable=yes profile=any protocol=TCP localport=2800",
    ] {
        assert!(wanted.iter().any(|known| known == rule), "{wanted:#?}");
    }
    assert!(wanted.iter().all(|rule| rule.starts_with("name=cbgen scripts ")));
    run(&mut rules, "apply-firewall", 0).expect_success("All rules are in place");
    assert_eq!(
        rules.iter().collect::<BTreeSet<_>>(),
        wanted.iter().collect::<BTreeSet<_>>()
    );
    rules.push("name=World Wide Web Services dir=in".into());
    run(&mut rules, "rollback-firewall", 0).expect_success("The rules are gone");
    assert_eq!(rules, ["name=World Wide Web Services dir=in"]);
    run(&mut rules, "rollback-firewall", 0).expect_success("The rules are gone");
    for failing in 1..=8.min(whole.calls.len()) {
        let mut rules = Vec::new();
        let outcome = run(&mut rules, "apply-firewall", failing);
        if outcome.code == 0 {
            assert_eq!(rules, wanted, "{outcome:#?}");
        } else {
            stopped_at(&outcome, failing);
        }
    }
}

const CONVERT: &str = "servers/MGMT01/certificate/convert-certificate.cmd";
const CONF: &str = r"C:\Program Files (x86)\Virtual Hold Technology\proxy\nginx\conf";

/// Puts the exported file, the proxy package and openssl where the script looks for them.
fn certificate_machine(pfx: &[u8], password: &str) -> Machine {
    let mut machine = machine("MGMT01");
    let files = [
        (r"C:\hand off\callback.pfx".to_owned(), pfx.to_vec()),
        (format!(r"{CONF}\mime.types"), Vec::new()),
        (
            r"C:\Git (x86)\openssl.exe".to_owned(),
            fs::read(machine.relay()).expect("the relay"),
        ),
    ];
    for (path, bytes) in files {
        let path = machine.unix(&path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, bytes).expect("writable");
    }
    machine.set("CALLBACK_OPENSSL", r"C:\Git (x86)\openssl.exe");
    machine.set("CALLBACK_PFX_PASSWORD", password);
    machine
}

fn convert(machine: &Machine, password: &str, failing: usize) -> Outcome {
    machine.run(CONVERT, |number, call| match call.program.as_str() {
        _ if number == failing => Answer::Code(9, String::new()),
        "openssl" => openssl::answer(machine, call, password),
        _ => text_tool(machine, call).unwrap_or_else(|| panic!("unexpected {}", call.line())),
    })
}

#[test]
fn certificate_problems_are_told_apart() {
    const NAMES: &str = "DNS:callback.acme.example,DNS:mgmt01.acme.example";
    let authority = openssl::Authority::new();
    authority.leaf("good", NAMES, "90");
    authority.leaf("other", NAMES, "90");
    authority.leaf("wrong-name", "DNS:callback.acme.example", "90");
    authority.leaf("expired", NAMES, "-1");
    let chain = ["middle", "root"];
    let legacy = ["-legacy", "-certpbe", "PBE-SHA1-RC2-40"];
    let good_file = authority.pfx("good", Some("good"), &chain, "top secret", &[]);
    for (step, text, file) in [
        (
            "open the exported file",
            "The password is wrong",
            authority.pfx("good", Some("good"), &chain, "else", &[]),
        ),
        (
            "open the exported file",
            "is no PKCS12 file",
            b"not a certificate".to_vec(),
        ),
        (
            "take the certificate out",
            "no certificate with a private key",
            authority.pfx("good", None, &chain, "top secret", &[]),
        ),
        (
            "take the chain out",
            "the certificate only",
            authority.pfx("good", Some("good"), &[], "top secret", &[]),
        ),
        (
            "split the chain",
            "ends before its root",
            authority.pfx("good", Some("good"), &["middle"], "top secret", &[]),
        ),
        (
            "verify the chain",
            "does not accept the chain",
            authority.pfx("good", Some("good"), &["root"], "top secret", &[]),
        ),
        (
            "find mgmt01.acme.example",
            "not made for mgmt01.acme.example",
            authority.pfx("wrong-name", Some("wrong-name"), &chain, "top secret", &[]),
        ),
        (
            "check that the certificate is still valid",
            "has expired",
            authority.pfx("expired", Some("expired"), &chain, "top secret", &[]),
        ),
    ] {
        let machine = certificate_machine(&file, "top secret");
        convert(&machine, "top secret", 0).expect_failure(step, text);
        assert!(
            !machine.unix(&format!(r"{CONF}\vht_callback_ssl.key")).exists(),
            "{text}"
        );
        assert!(
            !machine.state("certificate/work").exists(),
            "{text}: the working folder stays"
        );
    }

    let old = authority.pfx("good", Some("good"), &chain, "top secret", &legacy);
    convert(&certificate_machine(&old, "top secret"), "top secret", 0).expect_success("old encryption");
    let mut machine = certificate_machine(&authority.pfx("good", Some("good"), &chain, "", &[]), "");
    machine.unset("CALLBACK_PFX_PASSWORD");
    convert(&machine, "", 0).expect_success("Certificate and key are in place");
    fs::remove_file(machine.unix(r"C:\hand off\callback.pfx")).expect("removable");
    convert(&machine, "", 0)
        .expect_failure("find the exported file", "There is no C:\\hand off\\callback.pfx");
    machine.set("CALLBACK_OPENSSL", r"C:\nowhere\openssl.exe");
    convert(&machine, "", 0).expect_failure("find openssl.exe", "There is no C:\\nowhere\\openssl.exe");
    drop(machine);

    // Everything in order: what lies where afterwards, and the way back.
    let machine = certificate_machine(&good_file, "top secret");
    let (key, crt) = (
        machine.unix(&format!(r"{CONF}\vht_callback_ssl.key")),
        machine.unix(&format!(r"{CONF}\vht_callback_ssl.crt")),
    );
    fs::write(&key, "old key").expect("writable");
    let whole = convert(&machine, "top secret", 0);
    whole.expect_success("Certificate and key are in place");
    assert!(
        !whole.calls.iter().any(|call| call.line().contains("top secret")),
        "the password is on a command line"
    );
    assert_eq!(
        openssl::certificates(&crt),
        2,
        "certificate and intermediate, no root"
    );
    assert!(
        openssl::subject(&crt).contains("CN = callback"),
        "the certificate comes first"
    );
    assert!(
        fs::read_to_string(&key)
            .expect("a key")
            .contains("BEGIN PRIVATE KEY")
    );
    assert!(
        !machine.state("certificate/work").exists(),
        "no copy of the key stays"
    );
    let list = fs::read_to_string(machine.state("certificate/trust/MGMT01.txt")).expect("a list");
    let stores: Vec<&str> = list.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(
        stores.iter().collect::<BTreeSet<_>>(),
        BTreeSet::from([&"CA", &"Root"]),
        "{list}"
    );
    convert(&machine, "top secret", 0).expect_success("Certificate and key are in place");

    trust(&machine);
    let back = "servers/MGMT01/certificate/rollback-certificate.cmd";
    machine
        .run(back, |_, call| text_tool(&machine, call).expect("known"))
        .expect_success("The files of before are back");
    assert_eq!(fs::read_to_string(&key).expect("a key"), "old key");
    assert!(!crt.exists());

    for failing in 1..=whole.calls.len() {
        machine.forget();
        fs::write(&key, "old key").expect("writable");
        if crt.exists() {
            fs::remove_file(&crt).expect("removable");
        }
        let outcome = convert(&machine, "top secret", failing);
        if outcome.code == 0 {
            assert_eq!(openssl::certificates(&crt), 2, "{outcome:#?}");
        } else {
            assert!(outcome.output.contains("FAILED at step: "), "{outcome:#?}");
            assert!(
                fs::read_to_string(&key).expect("a key") == "old key" && !crt.exists(),
                "{outcome:#?}"
            );
        }
        assert!(!machine.state("certificate/work").exists(), "{outcome:#?}");
    }
}

/// What `convert-certificate.cmd` wrote is imported, also twice, and taken out again but for what was there before.
fn trust(machine: &Machine) {
    let folder = machine.bundle("servers/MGMT01/certificate/trust");
    fs::create_dir(&folder).expect("a folder");
    for entry in fs::read_dir(machine.state("certificate/trust"))
        .expect("a folder")
        .filter_map(Result::ok)
    {
        fs::copy(entry.path(), folder.join(entry.file_name())).expect("a copy");
    }
    let list = fs::read_to_string(folder.join("MGMT01.txt")).expect("a list");
    let thumb = |store: &str| {
        let line = list
            .lines()
            .find(|line| line.starts_with(store))
            .expect("in the list");
        line.split(' ').nth(1).expect("a thumbprint").to_owned()
    };
    let mut stores = BTreeSet::from([("Root".to_owned(), thumb("Root"))]);
    let run = |stores: &mut BTreeSet<(String, String)>, script: &str| {
        machine.run(&format!("servers/MGMT01/certificate/{script}.cmd"), |_, call| {
            let words: Vec<&str> = call.arguments.iter().map(String::as_str).collect();
            let known = |stores: &BTreeSet<(String, String)>, store: &str, thumb: &str| {
                stores.contains(&(store.to_owned(), thumb.to_owned()))
            };
            match (call.program.as_str(), words.as_slice()) {
                ("certutil", ["-store", store, thumb]) => {
                    Answer::Code(i32::from(!known(stores, store, thumb)), String::new())
                }
                ("certutil", ["-f", "-addstore", store, file]) => {
                    assert!(machine.unix(file).exists(), "{file}");
                    stores.insert(((*store).to_owned(), thumb(store)));
                    good()
                }
                ("certutil", ["-delstore", store, thumb]) => Answer::Code(
                    i32::from(!stores.remove(&((*store).to_owned(), (*thumb).to_owned()))),
                    String::new(),
                ),
                _ => text_tool(machine, call).unwrap_or_else(|| panic!("unexpected {}", call.line())),
            }
        })
    };
    let before = stores.clone();
    run(&mut stores, "import-trust").expect_success("This server trusts the proxy");
    assert_eq!(stores.len(), 2);
    run(&mut stores, "import-trust").expect_success("This server trusts the proxy");
    run(&mut stores, "rollback-trust").expect_success("Only the certificates of before are left");
    assert_eq!(stores, before, "a root that was there before stays");
    fs::remove_dir_all(&folder).expect("removable");
    run(&mut stores, "import-trust")
        .expect_failure("find the lists of certificates", "There is no trust\\MGMT01.txt");
}

#[test]
fn proxy_is_installed_started_and_removed() {
    const ROOT: &str = r"C:\Program Files (x86)\Virtual Hold Technology\proxy";
    let machine = machine("MGMT01");
    let service = b"@echo off\r\necho %1>\"%~dp0done.txt\"\r\nexit /b 0\r\n".to_vec();
    for (path, bytes) in [
        (r"bin\nginx_windows_service.cmd", service),
        (r"nginx\nginx.exe", fs::read(machine.relay()).expect("the relay")),
        (r"nginx\conf\mime.types", Vec::new()),
        (r"nginx\conf\vht_callback_ssl.crt", Vec::new()),
        (r"nginx\conf\vht_callback_ssl.key", Vec::new()),
        (r"nginx\conf\nginx.conf", b"of the vendor".to_vec()),
    ] {
        let path = machine.unix(&format!(r"{ROOT}\{path}"));
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, bytes).expect("writable");
    }
    let file = |name: &str| machine.unix(&format!(r"{ROOT}\{name}"));
    let done = || {
        fs::read_to_string(file(r"bin\done.txt"))
            .unwrap_or_default()
            .trim()
            .to_owned()
    };
    let running = std::cell::Cell::new(false);
    let run = |script: &str, nginx: i32| {
        machine.run(&format!("servers/MGMT01/proxy/{script}.cmd"), |_, call| {
            let words: Vec<&str> = call.arguments.iter().map(String::as_str).collect();
            match (call.program.as_str(), words.as_slice()) {
                ("nginx", ["-t", "-p", _, "-c", "conf/nginx.conf.cbgen-new"]) => {
                    Answer::Code(nginx, String::new())
                }
                ("nginx", ["-t", "-p", _, "-c", "conf/nginx.conf"]) => good(),
                ("sc", ["query", "VHT Reverse Proxy"]) if done() == "install" => {
                    let state = if running.get() { "4  RUNNING" } else { "1  STOPPED" };
                    Answer::Code(0, format!("        STATE              : {state}\n"))
                }
                ("sc", _) => Answer::Code(1060, String::new()),
                ("net", [verb @ ("start" | "stop"), "VHT Reverse Proxy"]) => {
                    running.set(*verb == "start");
                    good()
                }
                ("netstat", _) if running.get() => Answer::Code(
                    0,
                    "  TCP    0.0.0.0:443       0.0.0.0:0      LISTENING       4\n".into(),
                ),
                ("netstat", _) => Answer::Code(
                    0,
                    "  TCP    0.0.0.0:4430      0.0.0.0:0      LISTENING       4\n".into(),
                ),
                _ => text_tool(&machine, call).unwrap_or_else(|| panic!("unexpected {}", call.line())),
            }
        })
    };
    let conf = || fs::read_to_string(file(r"nginx\conf\nginx.conf")).expect("a file");

    run("install-proxy", 1).expect_failure(
        "test the generated nginx.conf",
        "Nothing after this step was done.",
    );
    assert_eq!((conf().as_str(), done().as_str()), ("of the vendor", ""));
    run("start-proxy", 0).expect_failure("look for the service", "Run install-proxy.cmd first");
    run("install-proxy", 0).expect_success("The service is installed");
    run("install-proxy", 0).expect_success("The service is installed");
    assert!(conf().contains("listen 443 ssl") && file(r"nginx\logs").is_dir() && done() == "install");
    run("start-proxy", 0).expect_success("The proxy listens on port 443");
    run("start-proxy", 0).expect_success("The proxy listens on port 443");
    run("rollback-start", 0).expect_success("The proxy does not run");
    run("rollback-proxy", 0).expect_success("The proxy is as it was before");
    assert_eq!(
        (conf().as_str(), done().as_str(), running.get()),
        ("of the vendor", "uninstall", false)
    );
}

#[test]
fn sql_scripts_run_only_after_every_check() {
    let mut machine = machine("MGMT01");
    // The scripts take sqlcmd from the PATH.
    let path = Machine::windows(&machine.system());
    machine.set("PATH", &path);
    let run = |machine: &Machine, script: &str, failing: usize| {
        machine.run(&format!("deployment/sql/{script}.cmd"), |number, call| {
            if call.program == "sqlcmd"
                && let Some(log) = call.arguments.iter().skip_while(|word| *word != "-o").nth(1)
            {
                fs::write(machine.unix(log), "what SQL Server said\n").expect("writable");
            }
            match call.program.as_str() {
                _ if number == failing => Answer::Code(1, String::new()),
                "sqlcmd" | "where" | "powershell" => good(),
                _ => text_tool(machine, call).unwrap_or_else(|| panic!("unexpected {}", call.line())),
            }
        })
    };
    run(&machine, "apply-report-connection", 0).expect_failure(
        "look at the variable CALLBACK_REPORT_PASSWORD",
        "Set the environment variable",
    );
    machine.set("CALLBACK_REPORT_PASSWORD", "top secret");
    for script in ["ws-configuration", "report-connection"] {
        for kind in ["apply", "rollback"] {
            let name = format!("{kind}-{script}");
            let whole = run(&machine, &name, 0);
            whole.expect_success("was run. Log:");
            let last = whole.calls.last().expect("a call").line();
            assert!(
                last.starts_with(r"sqlcmd -S SQL01\CALLBACK -d VHT_Config -E -b -I -f 65001 -i "),
                "{last}"
            );
            assert!(
                !whole.calls.iter().any(|call| call.line().contains("top secret")),
                "{whole:#?}"
            );
            for failing in 1..=whole.calls.len() {
                stopped_at(&run(&machine, &name, failing), failing);
            }
        }
    }
}
