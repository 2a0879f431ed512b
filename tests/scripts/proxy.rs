//! The proxy package: installed, started, removed, with a played service.

use std::fs;

use super::machine;
use super::machine::{Answer, Machine, good};
use super::services::{Service, Services};
use super::stops::Stops;
use super::text_tools::text_tool;

#[test]
fn proxy_is_installed_started_and_removed() {
    const ROOT: &str = r"C:\Program Files (x86)\Virtual Hold Technology\proxy";
    let mut machine = machine("MGMT01");
    let service = b"@echo off\r\necho %1>\"%~dp0done.txt\"\r\nexit /b 0\r\n";
    for (path, bytes) in [
        (r"bin\nginx_windows_service.cmd", service.as_slice()),
        (r"nginx\conf\mime.types", b""),
        (r"nginx\conf\vht_callback_ssl.crt", b""),
        (r"nginx\conf\vht_callback_ssl.key", b""),
        (r"nginx\conf\nginx.conf", b"of the vendor"),
    ] {
        machine.put(&format!(r"{ROOT}\{path}"), bytes);
    }
    machine.put_relay(&format!(r"{ROOT}\nginx\nginx.exe"));
    let file = |name: &str| machine.unix(&format!(r"{ROOT}\{name}"));
    let done = || {
        fs::read_to_string(file(r"bin\done.txt"))
            .unwrap_or_default()
            .trim()
            .to_owned()
    };
    let running = std::cell::Cell::new(false);
    let services = std::cell::RefCell::new(Services::new(&[]));
    // The service is there when its program has installed it, under a key name of its own.
    let refresh = || {
        let mut services = services.borrow_mut();
        let service = Service {
            display: "VHT Reverse Proxy",
            runs: running.get(),
            start: services
                .all
                .get("VHTReverseProxy")
                .map_or(2, |service| service.start),
            needs: Vec::new(),
        };
        services.all.clear();
        if done() == "install" {
            services.all.insert("VHTReverseProxy", service);
        }
    };
    let run = |script: &str, nginx: i32, failing: usize| {
        machine.run(&format!("servers/MGMT01/proxy/{script}.cmd"), |number, call| {
            let words: Vec<&str> = call.arguments.iter().map(String::as_str).collect();
            match (call.program.as_str(), words.as_slice()) {
                _ if number == failing => Answer::Code(9, String::new()),
                ("nginx", ["-t", "-p", _, "-c", "conf/nginx.conf.cbgen-new"]) => {
                    Answer::Code(nginx, String::new())
                }
                ("nginx", ["-t", "-p", _, "-c", "conf/nginx.conf"]) => good(),
                ("netstat", _) if running.get() => Answer::Code(
                    0,
                    "  TCP    0.0.0.0:443       0.0.0.0:0      LISTENING       4\n".into(),
                ),
                ("netstat", _) => Answer::Code(
                    0,
                    "  TCP    0.0.0.0:4430      0.0.0.0:0      LISTENING       4\n".into(),
                ),
                _ => {
                    refresh();
                    let said = services.borrow_mut().answer(call);
                    running.set(services.borrow().all.values().any(|service| service.runs));
                    said.or_else(|| text_tool(&machine, call))
                        .unwrap_or_else(|| panic!("unexpected {}", call.line()))
                }
            }
        })
    };
    let conf = || fs::read_to_string(file(r"nginx\conf\nginx.conf")).expect("a file");

    run("install-proxy", 1, 0).expect_failure(
        "test the generated nginx.conf",
        "Nothing after this step was done.",
    );
    assert_eq!((conf().as_str(), done().as_str()), ("of the vendor", ""));
    run("start-proxy", 0, 0).expect_failure(
        "look for the service",
        r"Run servers\MGMT01\proxy\install-proxy.cmd first",
    );
    let before = machine.saved();
    let installed = run("install-proxy", 0, 0);
    installed.expect_success("The service is installed");
    run("install-proxy", 0, 0).expect_success("The service is installed");
    assert!(conf().contains("listen 443 ssl") && file(r"nginx\logs").is_dir() && done() == "install");
    let after = conf();
    run("start-proxy", 0, 0).expect_success("The proxy listens on port 443");
    run("start-proxy", 0, 0).expect_success("The proxy listens on port 443");
    let started = machine.saved();
    let stopped = run("rollback-start", 0, 0);
    stopped.expect_success("The proxy does not run");
    let standing = machine.saved();
    let removed = run("rollback-proxy", 0, 0);
    removed.expect_success("The proxy is as it was before");
    assert_eq!(
        (conf().as_str(), done().as_str(), running.get()),
        ("of the vendor", "uninstall", false)
    );

    // Every program fails once: what each script finds is what the one before it left.
    let mut stops = Stops::default();
    for (script, whole, saved, text, service, runs) in [
        ("install-proxy", &installed, &before, "of the vendor", "", false),
        (
            "rollback-start",
            &stopped,
            &started,
            after.as_str(),
            "install",
            true,
        ),
        (
            "rollback-proxy",
            &removed,
            &standing,
            after.as_str(),
            "install",
            false,
        ),
    ] {
        stops.of(script);
        for failing in 1..=whole.calls.len() {
            machine.forget();
            machine.restore(saved);
            fs::write(file(r"nginx\conf\nginx.conf"), text).expect("writable");
            fs::write(file(r"bin\done.txt"), service).expect("writable");
            running.set(runs);
            stops.note(&machine, whole, failing, &run(script, 0, failing), "", "Wine");
        }
    }
    stops.compare("proxy");
}

#[test]
fn dependencies_are_installed_or_the_step_is_named() {
    const FOLDER: &str = r"C:\Program Files (x86)\Virtual Hold Technology\proxy\dependencies";
    let mut machine = machine("CORE01");
    let script = "servers/CORE01/proxy/install-dependencies.cmd";
    let run = |machine: &Machine, failing: usize| {
        machine.run(script, |number, call| {
            let words: Vec<&str> = call.arguments.iter().map(String::as_str).collect();
            match (call.program.as_str(), words.as_slice()) {
                _ if number == failing => Answer::Code(1, String::new()),
                // The installer finds its files by the folder it is started in.
                ("vcredist", ["/quiet", folder]) => {
                    assert_eq!(folder, &FOLDER);
                    good()
                }
                _ => text_tool(machine, call).unwrap_or_else(|| panic!("unexpected {call:?}")),
            }
        })
    };
    run(&machine, 0).expect_failure("find the installer", "There is no install_dependencies.cmd in");
    let installer = b"@echo off\r\nvcredist.exe /quiet \"%CD%\"\r\nexit /b %errorlevel%\r\n";
    machine.put(&format!(r"{FOLDER}\install_dependencies.cmd"), installer);
    machine.put_relay(&format!(r"{FOLDER}\vcredist.exe"));
    let whole = run(&machine, 0);
    whole.expect_success("The dependencies are installed");
    // An installer that asks a person gets no answer instead of waiting for one behind its hidden question. What 3010, 1641
    // and 1638 mean is not played: `call` of Wine 8 makes 1 of every exit code of a batch.
    let asking =
        b"@echo off\r\nset /p ANSWER=Go on?\r\nvcredist.exe /quiet \"%CD%\"\r\nexit /b %errorlevel%\r\n";
    machine.put(&format!(r"{FOLDER}\install_dependencies.cmd"), asking);
    run(&machine, 0).expect_success("The dependencies are installed");
    machine.put(&format!(r"{FOLDER}\install_dependencies.cmd"), installer);
    let mut stops = Stops::default();
    stops.of("install-dependencies");
    for failing in 1..=whole.calls.len() {
        stops.note(&machine, &whole, failing, &run(&machine, failing), "", "Wine");
    }
    stops.compare("dependencies");
}
