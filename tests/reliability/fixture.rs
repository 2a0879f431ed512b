//! A bundle of every effect and more than sixty steps, and the server it is for.

use std::collections::BTreeMap;
use std::path::PathBuf;

use cbgen::bundle::archive::Press;
use cbgen::bundle::{ArtifactRecord, Bundle, BundleIdentity, Part, bundle};
use cbgen::change::server::Server;
use cbgen::change::steps::Package;
use cbgen::contract::artifact::{Effect, Role, Rollback, Scope};
use cbgen::contract::digest::Digest;
use cbgen::contract::manifest::{Artifact, BundleRecord, Generator, Manifest, ServerEntry, id};
use cbgen::contract::path::BundlePath;
use cbgen::contract::phase::Phase;
use cbgen::contract::runbook::{
    BundleName, FORMAT, PhaseRecord, Runbook, Schedule, Step, StepKind, StepNumber,
};
use cbgen::diag::Diagnostics;
use cbgen::formats::Format;
use cbgen::formats::encode::{Encoding, LineEnd};

use super::world::World;

/// Where a fixture is applied.
struct Site {
    /// Name of the server.
    server: String,
    /// The folder of the product.
    product: &'static str,
    /// Whether scripts really do something, for a real `cmd.exe`.
    runs_scripts: bool,
}

/// The bundle.
pub(crate) struct Fixture {
    site: Site,
    manifest: Manifest,
    runbook: Runbook,
    files: BTreeMap<BundlePath, Vec<u8>>,
    /// Files of the server before: Windows path and content.
    server: Vec<(String, Vec<u8>)>,
}

impl Package for Fixture {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn runbook(&self) -> &Runbook {
        &self.runbook
    }

    fn seal(&self) -> Digest {
        self.manifest.bundle.id
    }

    fn read(&self, path: &BundlePath) -> Result<Vec<u8>, String> {
        self.files
            .get(path)
            .cloned()
            .ok_or_else(|| "it is not there".to_owned())
    }
}

/// Where a Windows path lies in the world.
pub(crate) fn host(windows: &str) -> String {
    windows.replace(":\\", "/").replace('\\', "/")
}

struct Maker {
    site: Site,
    steps: Vec<Step>,
    artifacts: Vec<Artifact>,
    files: BTreeMap<BundlePath, Vec<u8>>,
    server: Vec<(String, Vec<u8>)>,
}

impl Maker {
    fn number(&self, phase: Phase) -> StepNumber {
        let before = self.steps.iter().filter(|step| step.phase == phase).count();
        StepNumber {
            phase: u32::try_from(PHASES.iter().position(|known| *known == phase).unwrap()).unwrap() + 1,
            step: u32::try_from(before).unwrap() + 1,
        }
    }

    fn file(&mut self, path: &str, bytes: &[u8], format: Format, effect: Effect, phase: Phase) -> BundlePath {
        let path = BundlePath::parse(path).unwrap();
        self.artifacts.push(Artifact {
            path: path.clone(),
            scope: Scope::Server,
            server: Some(self.site.server.clone()),
            title: path.to_string(),
            requirements: Vec::new(),
            target: None,
            format,
            effect,
            phase,
            encoding: Encoding::Ascii,
            eol: LineEnd::Lf,
            size: bytes.len() as u64,
            sha256: Digest::of(bytes),
            review_sha256: Digest::of(bytes),
            rollback: Rollback::Nothing,
            restarts: Vec::new(),
        });
        self.files.insert(path.clone(), bytes.to_vec());
        path
    }

    fn step(&mut self, phase: Phase, kind: StepKind, title: &str) -> &mut Step {
        let number = self.number(phase);
        self.steps.push(Step {
            number,
            phase,
            server: Some(self.site.server.clone()),
            title: title.into(),
            kind,
            artifact: None,
            arguments: Vec::new(),
            target: None,
            effect: None,
            format: None,
            applies: Vec::new(),
            values: Vec::new(),
            before: Vec::new(),
            todo: vec!["Do it.".into()],
            text: String::new(),
            check: Vec::new(),
            later: Vec::new(),
            undo: vec!["Take it back.".into()],
            rollback: Rollback::Nothing,
            one_way: false,
            restarts: Vec::new(),
            requirements: Vec::new(),
            needs: None,
            breaks: Vec::new(),
            restores: Vec::new(),
            moves_away: Vec::new(),
            minutes: 1,
            undo_minutes: 1,
        });
        self.steps.last_mut().unwrap()
    }

    /// A step that changes a file.
    fn native(
        &mut self,
        phase: Phase,
        name: &str,
        format: Format,
        effect: Effect,
        artifact: &str,
        target: &str,
    ) {
        let path = self.file(
            &format!("servers/{}/{name}", self.site.server),
            artifact.as_bytes(),
            format,
            effect,
            phase,
        );
        let kind = if effect == Effect::ReplaceFile {
            StepKind::Replace
        } else {
            StepKind::Edit
        };
        let step = self.step(phase, kind, name);
        step.artifact = Some(path);
        step.target = Some(target.into());
        step.effect = Some(effect);
        step.format = Some(format);
        step.rollback = Rollback::Captured;
    }

    /// A step by a script, with its way back.
    fn script(&mut self, phase: Phase, kind: StepKind, name: &str, undo: Option<&str>) {
        let scripts = format!("servers/{}/scripts", self.site.server);
        let path = format!("{scripts}/apply-{name}.cmd");
        let text = if self.site.runs_scripts {
            applying(name)
        } else {
            format!("@echo off\r\nrem {name}\r\n")
        };
        let path = self.file(&path, text.as_bytes(), Format::Cmd, Effect::RunScript, phase);
        let undo = undo.map(|undo| {
            let text = if self.site.runs_scripts {
                going_back(undo)
            } else {
                "@echo off\r\n".to_owned()
            };
            let undo = format!("{scripts}/rollback-{undo}.cmd");
            let undo = BundlePath::parse(&undo).unwrap();
            if !self.files.contains_key(&undo) {
                self.file(
                    undo.as_str(),
                    text.as_bytes(),
                    Format::Cmd,
                    Effect::RunScript,
                    phase,
                );
            }
            undo
        });
        let step = self.step(phase, kind, name);
        step.artifact = Some(path);
        step.rollback = undo.map_or(Rollback::Nothing, Rollback::Artifact);
    }
}

/// Where scripts of a real `cmd.exe` do what they do.
pub(crate) const SCRIPTED: &str = r"C:\Program Files (x86)\Some World";

/// A script that keeps the old state once and sets the new one.
fn applying(name: &str) -> String {
    if name == "preflight" {
        return "@echo off\r\nexit /b 0\r\n".to_owned();
    }
    format!(
        "@echo off\r\nsetlocal\r\nset \"WORLD={SCRIPTED}\"\r\nset \"KEPT=%ProgramData%\\cbgen\\acme\\1.0.0\\scripts\"\r\n\
         if not exist \"%KEPT%\" mkdir \"%KEPT%\"\r\nif exist \"%KEPT%\\{name}\" goto :kept\r\n\
         if exist \"%KEPT%\\{name}.none\" goto :kept\r\nif not exist \"%WORLD%\\{name}\" goto :none\r\n\
         copy /y \"%WORLD%\\{name}\" \"%KEPT%\\{name}\" >nul\r\nif not exist \"%KEPT%\\{name}\" exit /b 1\r\ngoto :kept\r\n\
         :none\r\n>\"%KEPT%\\{name}.none\" echo none\r\n:kept\r\n>\"%WORLD%\\{name}\" echo new\r\necho apply-{name} says hello\r\nexit /b 0\r\n"
    )
}

/// Its way back.
fn going_back(name: &str) -> String {
    let names = if name == "registry" {
        vec!["path", "tls", "crypto"]
    } else {
        vec![name]
    };
    let mut text = format!(
        "@echo off\r\nsetlocal\r\nset \"WORLD={SCRIPTED}\"\r\nset \"KEPT=%ProgramData%\\cbgen\\acme\\1.0.0\\scripts\"\r\n"
    );
    for name in names {
        text.push_str(&format!(
            "if not exist \"%KEPT%\\{name}\" goto :none_{name}\r\ncopy /y \"%KEPT%\\{name}\" \"%WORLD%\\{name}\" >nul\r\n\
             del \"%KEPT%\\{name}\"\r\n:none_{name}\r\nif not exist \"%KEPT%\\{name}.none\" goto :done_{name}\r\n\
             if exist \"%WORLD%\\{name}\" del \"%WORLD%\\{name}\"\r\ndel \"%KEPT%\\{name}.none\"\r\n:done_{name}\r\n"
        ));
    }
    text.push_str("exit /b 0\r\n");
    text
}

const PHASES: &[Phase] = &[
    Phase::Prepare,
    Phase::Certificate,
    Phase::Proxy,
    Phase::Database,
    Phase::Registry,
    Phase::Components,
    Phase::Iis,
    Phase::Hardening,
];

impl Fixture {
    pub(crate) fn new() -> Self {
        Self::at(Site {
            server: "MGMT01".to_owned(),
            product: r"C:\Product",
            runs_scripts: false,
        })
    }

    /// The bundle for a computer with a real `cmd.exe`.
    pub(crate) fn for_windows(computer: &str) -> Self {
        Self::at(Site {
            server: computer.to_owned(),
            product: r"C:\Program Files (x86)\Some Product",
            runs_scripts: true,
        })
    }

    fn at(site: Site) -> Self {
        let product = site.product;
        let mut maker = Maker {
            site,
            steps: Vec::new(),
            artifacts: Vec::new(),
            files: BTreeMap::new(),
            server: Vec::new(),
        };
        maker.step(Phase::Prepare, StepKind::Manual, "Look at it");
        maker.step(Phase::Prepare, StepKind::Manual, "Have the certificate at hand");
        maker.script(Phase::Prepare, StepKind::Script, "preflight", None);
        for (name, undo) in [("certificate", "certificate"), ("trust", "trust")] {
            maker.script(Phase::Certificate, StepKind::Script, name, Some(undo));
        }
        for number in 1..=6 {
            let target = format!(r"{product}\proxy\file{number}.conf");
            if number > 2 {
                maker
                    .server
                    .push((target.clone(), format!("old {number}\n").into_bytes()));
            }
            let (name, text) = (format!("proxy/file{number}.conf"), format!("new {number}\n"));
            maker.native(
                Phase::Proxy,
                &name,
                Format::Text,
                Effect::ReplaceFile,
                &text,
                &target,
            );
        }
        maker.script(Phase::Proxy, StepKind::Script, "proxy", Some("proxy"));
        for name in ["ws", "report", "settings"] {
            maker.script(Phase::Database, StepKind::Sql, name, Some(name));
        }
        for name in ["path", "tls", "crypto"] {
            maker.script(Phase::Registry, StepKind::Registry, name, Some("registry"));
        }
        edits(&mut maker);
        for name in ["bindings", "pool", "page"] {
            maker.script(Phase::Iis, StepKind::Script, name, Some(name));
        }
        // Twice the same file, in another phase, with a script in between.
        let (format, effect) = (Format::Ini, Effect::SetLines);
        for number in 1..=3 {
            let name = format!("config/again{number}.set.url");
            let text = format!("[A]\nOther=again {number}\n");
            let target = format!(r"{product}\config\file{number}.url");
            maker.native(Phase::Hardening, &name, format, effect, &text, &target);
        }
        maker.step(Phase::Hardening, StepKind::Manual, "Look at it again");
        Self::of(maker)
    }

    fn of(maker: Maker) -> Self {
        let mut artifacts = maker.artifacts;
        artifacts.sort_by(|left, right| left.path.cmp(&right.path));
        let phases = PHASES.iter().zip(1..).map(|(phase, number)| PhaseRecord {
            number,
            name: *phase,
            in_window: true,
            minutes: 1,
            starts: None,
        });
        let manifest = Manifest {
            format: cbgen::contract::manifest::FORMAT,
            bundle: BundleRecord {
                name: "acme".into(),
                version: "1.0.0".into(),
                change: Some("CHG1".into()),
                window: None,
                id: id(&artifacts, None),
            },
            generator: Generator::current(),
            tool: None,
            inputs: Vec::new(),
            servers: Vec::new(),
            warnings: Vec::new(),
            artifacts,
        };
        let runbook = Runbook {
            format: FORMAT,
            bundle: BundleName {
                name: "acme".into(),
                version: "1.0.0".into(),
                change: None,
            },
            window: None,
            schedule: Schedule {
                people: 1,
                before: 0,
                needed: 0,
                critical_path: 0,
                work: 0,
                going_back: 0,
                window: None,
                decide_by: None,
            },
            outages: Vec::new(),
            phases: phases.collect(),
            steps: maker.steps,
        };
        Self {
            site: maker.site,
            manifest,
            runbook,
            files: maker.files,
            server: maker.server,
        }
    }

    /// The bundle with other steps.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Vec<Step>)) -> Self {
        change(&mut self.runbook.steps);
        self
    }

    /// The bundle with another file.
    pub(crate) fn with_file(mut self, path: &str, bytes: Option<&[u8]>) -> Self {
        let path = BundlePath::parse(path).unwrap();
        match bytes {
            Some(bytes) => {
                self.files.insert(path.clone(), bytes.to_vec());
                for artifact in self
                    .manifest
                    .artifacts
                    .iter_mut()
                    .filter(|artifact| artifact.path == path)
                {
                    artifact.sha256 = Digest::of(bytes);
                    artifact.review_sha256 = Digest::of(bytes);
                    artifact.size = bytes.len() as u64;
                }
                self.manifest.bundle.id = id(&self.manifest.artifacts, None);
            }
            None => drop(self.files.remove(&path)),
        }
        self
    }

    pub(crate) fn steps(&self) -> &[Step] {
        &self.runbook.steps
    }

    /// The server before the change.
    pub(crate) fn world(&self) -> World {
        let world = World::default();
        world.inner.lock().unwrap().free = 1 << 40;
        for (path, bytes) in &self.server {
            world.put(&host(path), bytes, 0o640);
        }
        world.put("C/Product/proxy/keep.txt", b"not ours\n", 0o644);
        world.put("C/Windows/System32/cmd.exe", b"MZ", 0o755);
        world.put(
            "C/Program Files/Microsoft SQL Server/130/Tools/Binn/sqlcmd.exe",
            b"MZ",
            0o755,
        );
        world.put("C/ProgramData/other.txt", b"not ours\n", 0o644);
        for name in ["trust", "ws", "bindings", "tls"] {
            world.put(&format!("C/World/{name}"), b"old", 0o644);
        }
        world
    }

    pub(crate) fn server() -> Server {
        Server::new("MGMT01", Some(PathBuf::new()), None, None)
    }
}

/// Edits of every format that the engine knows.
fn edits(maker: &mut Maker) {
    let phase = Phase::Components;
    let product = maker.site.product;
    for number in 1..=10 {
        let target = format!(r"{product}\config\file{number}.url");
        let text = format!("; {number}\r\n[A]\r\nURL=http://old.example/{number}\r\nOther=1\r\n");
        maker.server.push((target.clone(), text.into_bytes()));
        let edit = format!("[A]\nURL=https://new.example/{number}\n");
        maker.native(
            phase,
            &format!("config/file{number}.set.url"),
            Format::Ini,
            Effect::SetLines,
            &edit,
            &target,
        );
    }
    for (number, (name, format, effect, edit, vendor)) in (11..=20).zip(OTHERS.iter().cycle()) {
        // The lines of a vendor end as those of Windows.
        let text = vendor
            .replace("NUMBER", &number.to_string())
            .replace('\n', "\r\n");
        let target = format!(r"{product}\config\{number}\{name}");
        maker.server.push((target.clone(), text.into_bytes()));
        let edit = edit.replace("NUMBER", &number.to_string());
        maker.native(
            phase,
            &format!("config/{number}/{name}"),
            *format,
            *effect,
            &edit,
            &target,
        );
    }
    for number in 1..=18 {
        let target = format!(r"{product}\web\settings{number}.js");
        let text =
            format!("var a = 'http://localhost:8000/{number}';\r\nvar b = \"http://localhost:8012\";\r\n");
        maker.server.push((target.clone(), text.into_bytes()));
        let name = format!("config/settings{number}.js.json");
        maker.native(
            phase,
            &name,
            Format::JsReferences,
            Effect::ReplaceReferences,
            REFERENCES,
            &target,
        );
    }
}

/// Name, format and effect of an edit, the edit, and the file of the vendor. `NUMBER` tells files of one kind apart.
const OTHERS: &[(&str, Format, Effect, &str, &str)] = &[
    (
        "web.config",
        Format::Xdt,
        Effect::TransformXml,
        include_str!("edits/web.config.xdt"),
        include_str!("edits/web.config"),
    ),
    (
        "rabbitmq.config",
        Format::Erlang,
        Effect::SetTerms,
        include_str!("edits/rabbitmq.config.edits"),
        include_str!("edits/rabbitmq.config"),
    ),
    (
        "site.yml",
        Format::Yaml,
        Effect::SetLines,
        include_str!("edits/site.yml.edits"),
        include_str!("edits/site.yml"),
    ),
    (
        "site.json",
        Format::Json,
        Effect::SetLines,
        include_str!("edits/site.json.edits"),
        include_str!("edits/site.json"),
    ),
];

/// Two ports that are replaced by the proxy.
const REFERENCES: &str = include_str!("references.json");

impl Fixture {
    /// The bundle as an archive, made by the compiler's own last phase.
    pub(crate) fn archive(&self, has_runbook: bool) -> Vec<u8> {
        Press::default().write(&self.bundle(has_runbook)).unwrap()
    }

    /// The bundle as an archive with the program inside.
    pub(crate) fn archive_with_tool(&self, tool: Vec<u8>) -> Vec<u8> {
        let bundle = self.bundle(true).with_tool(tool);
        Press::default().write(&bundle).unwrap()
    }

    fn bundle(&self, has_runbook: bool) -> Bundle {
        let mut parts = Vec::new();
        for artifact in &self.manifest.artifacts {
            let text = String::from_utf8(self.files[&artifact.path].clone())
                .unwrap()
                .replace("\r\n", "\n");
            parts.push(Part {
                path: artifact.path.clone(),
                review_sha256: Digest::of(text.as_bytes()),
                text,
                record: ArtifactRecord {
                    scope: artifact.scope,
                    server: artifact.server.clone(),
                    title: artifact.title.clone(),
                    requirements: Vec::new(),
                    target: None,
                    format: artifact.format,
                    effect: artifact.effect,
                    phase: artifact.phase,
                    rollback: artifact.rollback.clone(),
                    restarts: Vec::new(),
                },
                origin: None,
            });
        }
        let text = self.runbook.to_text();
        parts.push(Part {
            path: BundlePath::parse("runbook.json").unwrap(),
            review_sha256: Digest::of(text.as_bytes()),
            text,
            record: ArtifactRecord {
                scope: Scope::Bundle,
                server: None,
                title: "Runbook".into(),
                requirements: Vec::new(),
                target: None,
                format: Format::Json,
                effect: Effect::Read,
                phase: Phase::Prepare,
                rollback: Rollback::Nothing,
                restarts: Vec::new(),
            },
            origin: None,
        });
        if !has_runbook {
            parts.pop();
        }
        let identity = BundleIdentity {
            name: "acme".into(),
            version: "1.0.0".into(),
            change: Some("CHG1".into()),
            window: None,
        };
        let servers = vec![ServerEntry {
            name: self.site.server.clone(),
            fqdn: "mgmt01.acme.example".into(),
            roles: vec![Role::Management],
        }];
        let mut diagnostics = Diagnostics::new();
        bundle(&mut diagnostics, identity, Vec::new(), servers, Vec::new(), parts).unwrap()
    }

    /// Writes the files of the product and what scripts work on below the folder that Windows sees as its drive C.
    pub(crate) fn write_windows(&self, drive: &std::path::Path) {
        let scripted = ["trust", "ws", "bindings", "tls"].map(|name| {
            let path = format!(r"{SCRIPTED}\{name}");
            (path, b"old".to_vec())
        });
        let sqlcmd = r"C:\Program Files\Microsoft SQL Server\130\Tools\Binn\sqlcmd.exe";
        let others = [(sqlcmd.to_owned(), b"MZ".to_vec())];
        for (path, bytes) in self.server.iter().chain(&scripted).chain(&others) {
            let path = drive.join(path[3..].replace('\\', "/"));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, bytes).unwrap();
        }
    }

    /// Writes the server before the change below a folder, with a `cmd.exe` that plays the scripts.
    pub(crate) fn write_server(&self, root: &std::path::Path) {
        use std::os::unix::fs::PermissionsExt as _;
        let world = self.world();
        for (path, (bytes, rights)) in world.tree() {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, bytes).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(rights)).unwrap();
        }
        let shell = root.join("C/Windows/System32/cmd.exe");
        std::fs::write(&shell, include_str!("cmd.sh")).unwrap();
        std::fs::set_permissions(&shell, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
}
