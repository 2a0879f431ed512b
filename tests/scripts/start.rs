//! The start of the proxy: what runs afterwards has read the files of now, and a broken file stops nothing that works.

use std::fs;

use super::certificate::CONF;
use super::machine::{Answer, Call, Machine, Outcome, good};
use super::services::{LANGUAGES, Service, Services};
use super::text_tools::text_tool;
use super::{machine, stopped_at};

const PROXY: &str = r"C:\Program Files (x86)\Virtual Hold Technology\proxy";

/// The key name, which the panel does not show.
const KEY: &str = "VHTReverseProxy";

/// A service of the vendor's that needs the proxy.
const WATCH: &str = "VHTProxyWatch";

/// The proxy as far as the script sees it. Like nginx it reads its file when it starts, and never again.
struct Proxy {
    services: Services,
    /// The text it runs with.
    runs: Option<String>,
    /// How often its port is still taken after it was stopped.
    lingers: usize,
    linger: usize,
}

impl Default for Proxy {
    fn default() -> Self {
        let service = |display, needs: &[&'static str]| Service {
            display,
            runs: false,
            start: 2,
            needs: needs.to_vec(),
        };
        Self {
            services: Services::new(&[
                (KEY, service("VHT Reverse Proxy", &[])),
                (WATCH, service("VHT Proxy Watch", &[KEY])),
            ]),
            runs: None,
            lingers: 0,
            linger: 0,
        }
    }
}

impl Proxy {
    /// It runs with a text, or not.
    fn set(&mut self, text: Option<&str>) {
        self.runs = text.map(str::to_owned);
        for service in self.services.all.values_mut() {
            service.runs = text.is_some();
        }
    }

    fn service(&self, key: &str) -> &Service {
        &self.services.all[key]
    }

    fn answer(&mut self, machine: &Machine, call: &Call) -> Answer {
        let file = fs::read_to_string(machine.unix(&format!(r"{CONF}\nginx.conf"))).unwrap_or_default();
        let words: Vec<&str> = call.arguments.iter().map(String::as_str).collect();
        match (call.program.as_str(), words.as_slice()) {
            ("nginx", ["-t", "-p", prefix, "-c", tested]) => {
                assert!(CONF.starts_with(prefix), "{prefix}");
                if *tested == "conf/nginx.conf.cbgen-new" {
                    return good();
                }
                Answer::Code(i32::from(file.contains("broken")), String::new())
            }
            ("netstat", _) => {
                let taken = self.runs.is_some() || self.linger > 0;
                self.linger = self.linger.saturating_sub(1);
                self.services.listener(if taken { 443 } else { 4430 })
            }
            _ => {
                let said = self.services.answer(call).or_else(|| text_tool(machine, call));
                let runs = self.service(KEY).runs;
                if runs && self.runs.is_none() {
                    self.runs = Some(file);
                } else if !runs && self.runs.take().is_some() {
                    self.linger = self.lingers;
                }
                said.unwrap_or_else(|| panic!("unexpected {}", call.line()))
            }
        }
    }
}

fn start(machine: &Machine, proxy: &mut Proxy, failing: usize) -> Outcome {
    run(machine, proxy, "start-proxy", failing)
}

fn run(machine: &Machine, proxy: &mut Proxy, script: &str, failing: usize) -> Outcome {
    machine.run(&format!("servers/MGMT01/proxy/{script}.cmd"), |number, call| {
        if number == failing {
            return Answer::Code(9, String::new());
        }
        proxy.answer(machine, call)
    })
}

#[test]
fn a_running_proxy_is_started_anew_with_the_files_of_now() {
    let mut machine = machine("MGMT01");
    machine.put_relay(&format!(r"{PROXY}\nginx\nginx.exe"));
    machine.put(&format!(r"{CONF}\nginx.conf"), b"");
    let conf = machine.unix(&format!(r"{CONF}\nginx.conf"));
    let write = |text: &str| fs::write(&conf, text).expect("writable");
    let mut proxy = Proxy::default();
    write("first");
    start(&machine, &mut proxy, 0).expect_success("The proxy listens on port 443");
    assert_eq!(proxy.runs.as_deref(), Some("first"));

    // Its port takes a moment to become free.
    write("second");
    proxy.lingers = 3;
    let whole = start(&machine, &mut proxy, 0);
    whole.expect_success("The proxy listens on port 443");
    assert_eq!(proxy.runs.as_deref(), Some("second"));
    let place = |line: &str| whole.calls.iter().position(|call| call.line().starts_with(line));
    assert!(
        place("nginx -t") < place("sc stop") && place("sc stop") < place("sc start"),
        "{whole:#?}"
    );

    // A broken file, and the proxy of before goes on.
    write("broken");
    start(&machine, &mut proxy, 0).expect_failure(
        "test the installed nginx.conf",
        "Nothing after this step was done.",
    );
    assert_eq!(proxy.runs.as_deref(), Some("second"));

    // Something else keeps the port.
    write("third");
    proxy.lingers = 99;
    start(&machine, &mut proxy, 0).expect_failure("see that port 443 is free", "Another program listens");
    proxy.linger = 0;
    proxy.lingers = 0;

    start(&machine, &mut proxy, 0).expect_success("The proxy listens on port 443");
    let calls = start(&machine, &mut proxy, 0).calls.len();
    for failing in 1..=calls {
        write(&format!("number {failing}"));
        let outcome = start(&machine, &mut proxy, failing);
        if outcome.code == 0 {
            assert_eq!(proxy.runs, Some(format!("number {failing}")), "{outcome:#?}");
        } else {
            stopped_at(&outcome, failing);
        }
        proxy.set(Some("of before"));
    }
}

/// A bundle over an older one: the way back leads to the older one, and that ran.
#[test]
fn a_proxy_that_ran_before_runs_again_after_the_way_back() {
    let mut machine = machine("MGMT01");
    let conf = machine.unix(CONF);
    machine.put_relay(&format!(r"{PROXY}\nginx\nginx.exe"));
    machine.put(
        &format!(r"{PROXY}\bin\nginx_windows_service.cmd"),
        b"@exit /b 1\r\n",
    );
    for name in ["mime.types", "vht_callback_ssl.crt", "vht_callback_ssl.key"] {
        machine.put(&format!(r"{CONF}\{name}"), b"");
    }
    machine.put(&format!(r"{CONF}\nginx.conf"), b"of before");
    let mut proxy = Proxy::default();
    proxy.set(Some("of before"));
    run(&machine, &mut proxy, "install-proxy", 0).expect_success("The service is installed");
    start(&machine, &mut proxy, 0).expect_success("The proxy listens on port 443");
    assert_ne!(proxy.runs.as_deref(), Some("of before"));
    run(&machine, &mut proxy, "rollback-start", 0).expect_success("The proxy does not run");
    assert_eq!(proxy.runs, None);
    run(&machine, &mut proxy, "rollback-proxy", 0).expect_success("as it was before, and runs");
    assert_eq!(proxy.runs.as_deref(), Some("of before"));

    // Without a file of before, none stays; a proxy that stood still stands still.
    machine.forget();
    proxy.set(None);
    fs::remove_file(conf.join("nginx.conf")).expect("was there");
    run(&machine, &mut proxy, "install-proxy", 0).expect_success("The service is installed");
    run(&machine, &mut proxy, "rollback-proxy", 0)
        .expect_success(r"Run servers\MGMT01\iis\rollback-bindings.cmd");
    assert_eq!(proxy.runs, None);
    assert!(!conf.join("nginx.conf").exists());
}

/// The key name is not the one the panel shows, nothing of what Windows says is in English, and another service depends on
/// the proxy: nobody is asked, nothing takes a failed question for an absence, and what was stopped runs again.
#[test]
fn no_language_no_dependent_and_no_failed_question_leads_astray() {
    let mut machine = machine("MGMT01");
    let conf = machine.unix(CONF);
    machine.put_relay(&format!(r"{PROXY}\nginx\nginx.exe"));
    machine.put(
        &format!(r"{PROXY}\bin\nginx_windows_service.cmd"),
        b"@exit /b 1\r\n",
    );
    for name in ["mime.types", "vht_callback_ssl.crt", "vht_callback_ssl.key"] {
        machine.put(&format!(r"{CONF}\{name}"), b"");
    }
    for language in LANGUAGES {
        machine.forget();
        fs::write(conf.join("nginx.conf"), "of before").expect("writable");
        let mut proxy = Proxy::default();
        proxy.services.language = language;
        proxy.set(None);
        run(&machine, &mut proxy, "install-proxy", 0).expect_success("The service is installed");
        // A restart of Windows before IIS lets go of the port starts nothing.
        assert_eq!(proxy.service(KEY).start, 3, "{}", language.name);
        start(&machine, &mut proxy, 0).expect_success("The proxy listens on port 443");
        assert_eq!(proxy.service(KEY).start, 2, "{}", language.name);

        proxy.services.all.get_mut(WATCH).expect("a service").runs = true;
        let again = start(&machine, &mut proxy, 0);
        again.expect_success("The proxy listens on port 443");
        assert!(
            again.output.contains("Stopping \"VHTProxyWatch\""),
            "{}: {again:#?}",
            language.name
        );
        assert!(proxy.service(WATCH).runs, "{}: {again:#?}", language.name);

        // Whoever may not ask, or gets no answer, learns nothing.
        for refusal in [5, 1722] {
            proxy.services.refuses = Some(refusal);
            for script in ["install-proxy", "start-proxy", "rollback-start", "rollback-proxy"] {
                let outcome = run(&machine, &mut proxy, script, 0);
                assert_eq!(outcome.code, 1, "{} {refusal}: {outcome:#?}", language.name);
            }
            proxy.services.refuses = None;
            assert!(proxy.runs.is_some() && machine.saved().len() > 1);
        }
        run(&machine, &mut proxy, "rollback-start", 0).expect_success("The proxy does not run");
        assert_eq!((proxy.service(KEY).start, proxy.runs.as_deref()), (3, None));
        run(&machine, &mut proxy, "rollback-proxy", 0).expect_success("The proxy is as it was before");
        assert_eq!(proxy.service(KEY).start, 2, "{}", language.name);
    }
}
