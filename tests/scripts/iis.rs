//! Scripts for IIS with a played `appcmd`. Knows of IIS only what the scripts see.

use std::collections::BTreeSet;

use super::machine::{Answer, Call, Machine, Outcome, good};
use super::stops::Stops;
use super::text_tools::text_tool;
use super::{machine, stopped_at};

/// IIS as far as the scripts see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Iis {
    pub(super) bindings: Vec<String>,
    backups: BTreeSet<String>,
    page: [String; 3],
    /// `mode` of customErrors, `enabled` of trace, and whether test pages of web services call them.
    details: [String; 3],
    /// Whether the service W3SVC runs; the runbook stops it before.
    runs: bool,
}

impl Iis {
    pub(super) fn new(bindings: &[&str]) -> Self {
        Self {
            bindings: bindings.iter().map(|&binding| binding.to_owned()).collect(),
            backups: BTreeSet::new(),
            page: ["DetailedLocalOnly".into(), "File".into(), String::new()],
            details: ["RemoteOnly".into(), "true".into(), "true".into()],
            runs: false,
        }
    }

    /// What `sc` answers about the service, by its code only.
    fn service(&mut self, verb: &str) -> Answer {
        let code = match (verb, self.runs) {
            ("start", true) => 1056,
            ("interrogate", false) => 1062,
            _ => 0,
        };
        self.runs |= verb == "start";
        Answer::Code(code, String::new())
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
            [
                "set",
                "config",
                "Default Web Site",
                "-section:system.webServer/httpErrors",
                mode,
                "/commit:apphost",
            ] => {
                mode.strip_prefix("-errorMode:")
                    .expect("the mode alone")
                    .clone_into(&mut self.page[0]);
                good()
            }
            [
                "list",
                "config",
                "Default Web Site",
                "-section:system.web/webServices",
            ] => {
                let more = if self.details[2] == "true" {
                    "<add name=\"HttpPostLocalhost\" />"
                } else {
                    ""
                };
                Answer::Code(
                    0,
                    format!("<protocols><add name=\"HttpSoap\" />{more}</protocols>\n"),
                )
            }
            [
                "set",
                "config",
                "Default Web Site",
                "-section:system.web/webServices",
                change,
            ] => {
                let now = change.starts_with("/+").to_string();
                assert_eq!(&change[2..], "protocols.[name='HttpPostLocalhost']");
                // IIS refuses to remove what is not there and to add what is.
                if self.details[2] == now {
                    return Answer::Code(4312, "ERROR\n".into());
                }
                self.details[2] = now;
                good()
            }
            ["list", "config", place, section, attribute] if place.starts_with("Default Web Site") => {
                let at = usize::from(*section == "-section:system.web/trace");
                let wanted = ["/text:mode", "/text:enabled"][at];
                assert!(*attribute == wanted && (at == 1 || *section == "-section:system.web/customErrors"));
                Answer::Code(0, format!("{}\n", self.details[at]))
            }
            ["set", "config", "Default Web Site", section, change] => {
                let at = usize::from(*section == "-section:system.web/trace");
                let (_, value) = change.split_once(':').expect("a value");
                value.clone_into(&mut self.details[at]);
                good()
            }
            _ => panic!("unexpected {}", call.line()),
        }
    }
}

pub(super) fn iis_run(machine: &Machine, iis: &mut Iis, script: &str, failing: usize) -> Outcome {
    machine.run(&format!("servers/MGMT01/iis/{script}.cmd"), |number, call| {
        if number == failing {
            return Answer::Code(9, String::new());
        }
        match (call.program.as_str(), call.arguments.as_slice()) {
            ("appcmd", _) => iis.appcmd(call),
            ("sc", [verb, key]) if key == "W3SVC" => iis.service(verb),
            ("ping", _) => good(),
            _ => text_tool(machine, call).expect("a known program"),
        }
    })
}

#[test]
fn iis_bindings_and_error_page_come_and_go() {
    let machine = machine("MGMT01");
    let stock = Iis::new(&["http/*:80:", "net.tcp/808:*", "https/*:443:"]);
    for name in ["bindings", "details", "error-page"] {
        let (apply, back) = (format!("apply-{name}"), format!("rollback-{name}"));
        machine.forget();
        let mut iis = stock.clone();
        let whole = iis_run(&machine, &mut iis, &apply, 0);
        whole.expect_success(match name {
            "bindings" => "IIS listens on 127.0.0.1 only",
            "details" => "Details stay on this server",
            _ => "The error page is set",
        });
        let wanted = iis.clone();
        let saved = machine.saved();
        if name == "bindings" {
            assert_eq!(iis.bindings, ["net.tcp/808:*", "http/127.0.0.1:80:"]);
            assert!(iis.runs, "IIS was stopped for RabbitMQ, and has to answer now");
        } else if name == "details" {
            assert_eq!(
                (iis.page[0].as_str(), iis.details.join(" ").as_str()),
                ("Custom", "On false false")
            );
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
                iis.details.clone(),
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
fn the_pool_of_eyequeue_is_recycled_or_the_step_is_named() {
    let machine = machine("MGMT01");
    let run = |failing: usize, pool: &str| {
        machine.run("servers/MGMT01/iis/recycle-eyequeue.cmd", |number, call| {
            let words: Vec<&str> = call.arguments.iter().map(String::as_str).collect();
            match (call.program.as_str(), words.as_slice()) {
                _ if number == failing => Answer::Code(9, String::new()),
                (
                    "appcmd",
                    ["list", "site", "Default Web Site"]
                    | ["recycle", "apppool", "/apppool.name:EyeQueue & Co (x86)"],
                ) => good(),
                (
                    "appcmd",
                    [
                        "list",
                        "app",
                        "Default Web Site/EyeQueue",
                        "/text:applicationPool",
                    ],
                ) => Answer::Code(0, pool.to_owned()),
                _ => text_tool(&machine, call).unwrap_or_else(|| panic!("unexpected {call:?}")),
            }
        })
    };
    let pool = "EyeQueue & Co (x86)\n";
    let whole = run(0, pool);
    whole.expect_success("The pool was restarted");
    run(0, "").expect_failure(
        "find the pool of EyeQueue",
        "Recycle the pool of EyeQueue in IIS Manager",
    );
    let mut stops = Stops::default();
    stops.of("recycle-eyequeue");
    for failing in 1..=whole.calls.len() {
        stops.note(&machine, &whole, failing, &run(failing, pool), "", "Wine");
    }
    stops.compare("recycle-eyequeue");
}

/// A web.config of an application wins over the site, and the script says whose it is.
#[test]
fn an_application_with_its_own_error_pages_is_named() {
    let machine = machine("MGMT01");
    let mut iis = Iis::new(&["http/*:80:"]);
    let outcome = machine.run("servers/MGMT01/iis/apply-details.cmd", |_, call| {
        match (call.program.as_str(), call.arguments.get(2).map(String::as_str)) {
            ("appcmd", Some("Default Web Site/VHQMWS")) => Answer::Code(0, "RemoteOnly\n".into()),
            ("appcmd", _) => iis.appcmd(call),
            _ => text_tool(&machine, call).expect("a known program"),
        }
    });
    outcome.expect_failure(
        "see that VHQMWS shows no details either",
        "sets customErrors to RemoteOnly",
    );
}
