//! Trust in the proxy: certificates go into the stores of Windows and come out again, with a played `certutil`.

use std::collections::BTreeSet;
use std::fs;

use super::machine::{Answer, Machine, good};
use super::model::UNCHECKED;
use super::stops::Stops;
use super::text_tools::text_tool;

/// What `convert-certificate.cmd` wrote is imported, also twice, and taken out again but for what was there before.
pub(super) fn trust(machine: &Machine) {
    let folder = machine.state("trusted");
    fs::create_dir_all(&folder).expect("a folder");
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
    let run = |stores: &mut BTreeSet<(String, String)>, script: &str, failing: usize| {
        machine.run(
            &format!("servers/MGMT01/certificate/{script}.cmd"),
            |number, call| {
                let words: Vec<&str> = call.arguments.iter().map(String::as_str).collect();
                let known = |stores: &BTreeSet<(String, String)>, store: &str, thumb: &str| {
                    stores.contains(&(store.to_owned(), thumb.to_owned()))
                };
                match (call.program.as_str(), words.as_slice()) {
                    _ if number == failing => Answer::Code(9, String::new()),
                    ("certutil", ["-store", "Root" | "CA"]) => good(),
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
                    _ => text_tool(machine, call).unwrap_or_else(|| panic!("unexpected {call:?}")),
                }
            },
        )
    };
    let before = stores.clone();
    let nothing_saved = machine.saved();
    let import = run(&mut stores, "import-trust", 0);
    import.expect_success("This server trusts the proxy");
    assert_eq!(stores.len(), 2);
    run(&mut stores, "import-trust", 0).expect_success("This server trusts the proxy");
    let (trusting, saved) = (stores.clone(), machine.saved());
    let back = run(&mut stores, "rollback-trust", 0);
    back.expect_success("Only the certificates of before are left");
    assert_eq!(stores, before, "a root that was there before stays");

    // A server that trusts all of them already: nothing is added, and the way back finds that it was looked at.
    machine.restore(&nothing_saved);
    let mut whole = trusting.clone();
    run(&mut whole, "import-trust", 0).expect_success("This server trusts the proxy");
    run(&mut whole, "rollback-trust", 0).expect_success("Only the certificates of before are left");
    assert_eq!(whole, trusting, "nothing that was there before goes");

    let mut stops = Stops::default();
    for (script, whole, start, state, goal) in [
        ("import-trust", &import, &before, &nothing_saved, &trusting),
        ("rollback-trust", &back, &trusting, &saved, &before),
    ] {
        stops.of(script);
        for failing in 1..=whole.calls.len() {
            machine.restore(state);
            let mut stores = start.clone();
            let outcome = run(&mut stores, script, failing);
            if outcome.code == 0 {
                assert_eq!(&stores, goal, "{outcome:#?}");
            }
            let first = whole.calls[failing - 1].arguments.first();
            let removes = first.is_some_and(|word| word == "-delstore");
            let form = if removes { UNCHECKED } else { "" };
            stops.note(machine, whole, failing, &outcome, form, "Wine");
        }
    }
    stops.compare("trust");
    machine.restore(&nothing_saved);

    fs::remove_dir_all(&folder).expect("removable");
    run(&mut stores, "import-trust", 0).expect_failure("find the lists of certificates", "MGMT01.txt");
}
