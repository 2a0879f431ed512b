//! A machine in memory that plays the scripts of the fixture on the server in memory.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;

use cbgen::change::machine::{Call, Ended, Machine, Patience, Secret};

use super::world::World;

/// A machine that plays the scripts of the fixture.
pub(crate) struct Stage<'a> {
    pub(crate) world: &'a World,
    pub(crate) lines: RefCell<Vec<String>>,
    /// Scripts that fail, by a part of their names.
    pub(crate) fails: Option<&'static str>,
    /// Scripts that hang.
    pub(crate) hangs: Option<&'static str>,
    pub(crate) answers: RefCell<Vec<&'static str>>,
    pub(crate) clock: RefCell<i64>,
    pub(crate) variables: BTreeMap<String, String>,
    /// What scripts print.
    pub(crate) prints: String,
    pub(crate) ran: RefCell<Vec<String>>,
    pub(crate) computer: &'static str,
    pub(crate) is_elevated: bool,
    pub(crate) is_windows: bool,
}

impl<'a> Stage<'a> {
    pub(crate) fn new(world: &'a World) -> Self {
        Self {
            world,
            lines: RefCell::default(),
            fails: None,
            hangs: None,
            answers: RefCell::default(),
            clock: RefCell::new(0),
            variables: BTreeMap::new(),
            prints: String::new(),
            ran: RefCell::default(),
            computer: "TESTHOST",
            is_elevated: true,
            is_windows: false,
        }
    }

    pub(crate) fn output(&self) -> String {
        self.lines.borrow().join("\n")
    }

    /// What a script does to the world: it keeps the old state once, and its way back restores it.
    pub(crate) fn play(&self, name: &str, half: bool) {
        Self::play_in(self.world, name, half);
    }

    fn play_in(place: &World, name: &str, half: bool) {
        let world = |name: &str| format!("C/World/{name}");
        let kept = |name: &str| format!("C/ProgramData/cbgen/acme/1.0.0/scripts/{name}");
        if let Some(name) = name.strip_prefix("apply-") {
            if place.get(&kept(name)).is_none() {
                let old = place.get(&world(name)).unwrap_or_else(|| b"(none)".to_vec());
                place.put(&kept(name), &old, 0o600);
            }
            if !half && name != "preflight" {
                place.put(&world(name), b"new", 0o644);
            }
        } else if let Some(name) = name.strip_prefix("rollback-") {
            let names = if name == "registry" {
                vec!["path", "tls", "crypto"]
            } else {
                vec![name]
            };
            for name in names {
                match place.get(&kept(name)) {
                    None => {}
                    Some(old) if old == b"(none)" => place.take(&world(name)),
                    Some(old) => place.put(&world(name), &old, 0o644),
                }
                if half {
                    return;
                }
                place.take(&kept(name));
            }
        }
    }
}

impl Machine for Stage<'_> {
    fn now(&self) -> String {
        // A clock that jumps back: nothing may depend on it.
        let mut clock = self.clock.borrow_mut();
        *clock = if *clock % 7 == 6 { *clock - 5 } else { *clock + 1 };
        format!("2026-12-05T22:00:{:02}Z", clock.rem_euclid(60))
    }

    fn milliseconds(&self) -> u64 {
        0
    }

    fn computer(&self) -> String {
        self.computer.into()
    }

    fn user(&self) -> String {
        "ACME\\engineer".into()
    }

    fn is_elevated(&self) -> bool {
        self.is_elevated
    }

    fn is_windows(&self) -> bool {
        self.is_windows
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }

    fn process(&self) -> u32 {
        42
    }

    fn program_digest(&self) -> Option<String> {
        None
    }

    fn run(
        &self,
        call: &Call,
        output: &mut dyn FnMut(&[u8]),
        too_long: &mut dyn FnMut(u64) -> Patience,
    ) -> io::Result<Ended> {
        if call.program.ends_with("sc.exe") {
            return Ok(Ended::Code(Some(1060)));
        }
        let tail = call.tail.clone().unwrap_or_default();
        let name = tail.rsplit(['/', '\\']).next().unwrap_or_default();
        let name = name.trim_end_matches('"').trim_end_matches(".cmd").to_owned();
        self.world.command()?;
        self.ran.borrow_mut().push(name.clone());
        let fails = self.fails.is_some_and(|part| name.contains(part));
        self.world.shoot_command(|copy| Self::play_in(copy, &name, true));
        let half = fails;
        self.play(&name, half);
        output(format!("{name} says hello\r\n{}", self.prints).as_bytes());
        if self.hangs.is_some_and(|part| name.contains(part)) {
            let mut minutes = call.minutes;
            loop {
                match too_long(minutes) {
                    Patience::Wait => minutes += call.minutes,
                    Patience::Kill => return Ok(Ended::Killed),
                    Patience::Leave => return Ok(Ended::StillRunning { process: 7 }),
                }
            }
        }
        Ok(Ended::Code(Some(i32::from(fails))))
    }

    fn ask(&self, _: &str) -> Option<String> {
        self.answers.borrow_mut().pop().map(str::to_owned)
    }

    fn ask_secret(&self, _: &str) -> Option<Secret> {
        None
    }

    fn say(&self, line: &str) {
        self.lines.borrow_mut().push(line.to_owned());
    }
}
