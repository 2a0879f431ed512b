//! The way back of the bindings of IIS: everything that was there before comes back, whatever took it away.

use std::collections::BTreeSet;

use super::iis::{Iis, iis_run};
use super::machine;

#[test]
fn every_binding_of_before_comes_back_and_later_ones_stay() {
    let machine = machine("MGMT01");
    let stock = [
        "http/*:80:",
        "net.tcp/808:*",
        "net.pipe/*",
        "https/*:443:",
        "http/*:80:intranet.acme.example",
        "https/[2001:db8::1]:443:",
        "http/10.0.0.1:80:",
    ];
    let mut iis = Iis::new(&stock);
    // The script asks for these to be noted and removed by hand; what it saved before that knows them too.
    iis_run(&machine, &mut iis, "apply-bindings", 0)
        .expect_failure("read the bindings back", "Note it, remove it");
    iis.bindings
        .retain(|binding| ["net.tcp/808:*", "net.pipe/*", "http/127.0.0.1:80:"].contains(&binding.as_str()));
    iis_run(&machine, &mut iis, "apply-bindings", 0).expect_success("IIS listens on 127.0.0.1 only");
    iis.bindings.push("http/*:8088:later.acme.example".to_owned());

    iis_run(&machine, &mut iis, "rollback-bindings", 0).expect_success("The bindings of before are back");
    let found: BTreeSet<&str> = iis.bindings.iter().map(String::as_str).collect();
    let wanted: BTreeSet<&str> = stock
        .into_iter()
        .chain(["http/*:8088:later.acme.example"])
        .collect();
    assert_eq!(found, wanted);
}

#[test]
fn a_local_binding_of_before_stays_on_the_way_back() {
    let machine = machine("MGMT01");
    let mut iis = Iis::new(&["http/127.0.0.1:80:", "https/*:443:"]);
    iis_run(&machine, &mut iis, "apply-bindings", 0).expect_success("IIS listens on 127.0.0.1 only");
    assert_eq!(iis.bindings, ["http/127.0.0.1:80:"]);
    iis_run(&machine, &mut iis, "rollback-bindings", 0).expect_success("The bindings of before are back");
    assert_eq!(iis.bindings, ["http/127.0.0.1:80:", "https/*:443:"]);
}
