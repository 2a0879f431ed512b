//! A server in memory whose disk can be killed, cut, filled and meddled with at every operation.
//!
//! Every file has the content programs see and the content a power cut leaves, every folder the names programs see and the
//! names a power cut leaves; only syncing brings them together. Operations are numbered, and a fault strikes at one.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use cbgen::change::disk::{Disk, Found, Held};
use cbgen::contract::digest::Digest;

/// What strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// This operation finds the disk full, having written half.
    FullOnce,
    /// From this operation on the disk is full.
    FullFrom,
    /// This operation is denied.
    Denied,
    /// This operation finds the file held.
    Busy,
    /// Before this operation someone changes a file.
    Changed,
    /// Before this operation someone removes a file.
    Vanished,
    /// Before this operation someone puts a folder in the place of a file.
    Folder,
    /// Before this operation someone puts a link in the place of a file.
    Link,
}

/// What a power cut leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Only what was synced.
    Synced,
    /// All names, and of their contents what was synced.
    NamesFirst,
    /// All names, and half of what was not synced.
    Torn,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    File,
    Folder,
    Link,
}

#[derive(Clone, Debug)]
struct Node {
    kind: Kind,
    seen: Vec<u8>,
    /// `None` until the first sync.
    kept: Option<Vec<u8>>,
    rights: u32,
    /// Number of writes, to see that a file was not touched.
    stamp: u64,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Inner {
    nodes: Vec<Node>,
    names: BTreeMap<PathBuf, usize>,
    kept_names: BTreeMap<PathBuf, usize>,
    clock: u64,
    pub(crate) operations: usize,
    /// Which of them write or run something.
    pub(crate) writing: Vec<bool>,
    fault: Option<(usize, Fault)>,
    victim: PathBuf,
    is_full: bool,
    is_locked: bool,
    pub(crate) free: u64,
    /// What a kill leaves before each operation that writes, and in the middle of it.
    shots: Option<Vec<Inner>>,
}

/// The server.
#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) inner: Mutex<Inner>,
}

/// Content, rights and stamp of every file.
pub(crate) type Tree = BTreeMap<PathBuf, (Vec<u8>, u32)>;

impl Inner {
    fn node(&self, path: &Path) -> Option<&Node> {
        self.names.get(path).map(|at| &self.nodes[*at])
    }

    fn make(&mut self, path: &Path, kind: Kind, bytes: &[u8], rights: u32) {
        self.clock += 1;
        self.nodes.push(Node {
            kind,
            seen: bytes.to_vec(),
            kept: None,
            rights,
            stamp: self.clock,
        });
        self.names.insert(path.to_owned(), self.nodes.len() - 1);
    }

    fn meddle(&mut self, fault: Fault) {
        let victim = self.victim.clone();
        let Some(&at) = self.names.get(&victim) else {
            return;
        };
        match fault {
            Fault::Changed => {
                self.make(&victim, Kind::File, b"theirs\n", 0o644);
                let at = self.names[&victim];
                self.nodes[at].kept = Some(b"theirs\n".to_vec());
                self.kept_names.insert(victim, at);
            }
            Fault::Vanished => {
                self.names.remove(&victim);
                self.kept_names.remove(&victim);
            }
            Fault::Folder => self.make(&victim, Kind::Folder, b"", 0o755),
            Fault::Link => self.make(&victim, Kind::Link, b"", 0o777),
            _ => {}
        }
        let _ = at;
    }

    /// Counts an operation. `Ok(true)` when it is to be done by half and the process dies.
    fn begin(&mut self, writes: bool) -> io::Result<Option<Fault>> {
        if writes {
            self.shoot(|_| {});
        }
        let number = self.operations;
        self.operations += 1;
        self.writing.push(writes);
        let Some((at, fault)) = self.fault else {
            return Ok(None);
        };
        if self.is_full && writes {
            return Err(io::ErrorKind::StorageFull.into());
        }
        if number != at {
            return Ok(None);
        }
        match fault {
            Fault::Denied => Err(io::ErrorKind::PermissionDenied.into()),
            Fault::Busy => Err(io::ErrorKind::ResourceBusy.into()),
            Fault::Changed | Fault::Vanished | Fault::Folder | Fault::Link => {
                self.meddle(fault);
                Ok(None)
            }
            Fault::FullFrom if writes => {
                self.is_full = true;
                Ok(Some(Fault::FullOnce))
            }
            Fault::FullOnce | Fault::FullFrom => Ok(Some(fault)),
        }
    }

    /// Keeps what a kill would leave here, after `more` happened to it.
    fn shoot(&mut self, more: impl FnOnce(&mut Self)) {
        let Some(mut shots) = self.shots.take() else {
            return;
        };
        let mut shot = self.clone();
        more(&mut shot);
        shots.push(shot);
        self.shots = Some(shots);
    }

    /// What programs can see of it, to know equal servers.
    fn digest(&self) -> Digest {
        let mut text = Vec::new();
        for (path, at) in &self.names {
            let node = &self.nodes[*at];
            text.extend(format!("{}\0{:?}\0{}\0", path.display(), node.kind, node.rights).bytes());
            text.extend(Digest::of(&node.seen).to_string().bytes());
        }
        Digest::of(&text)
    }
}

impl World {
    /// Puts a file that is safe on the disk.
    pub(crate) fn put(&self, path: &str, bytes: &[u8], rights: u32) {
        let mut inner = self.inner.lock().unwrap();
        let path = PathBuf::from(path);
        for folder in path
            .ancestors()
            .skip(1)
            .filter(|folder| !folder.as_os_str().is_empty())
        {
            if !inner.names.contains_key(folder) {
                inner.make(folder, Kind::Folder, b"", 0o755);
                let at = inner.names[folder];
                inner.kept_names.insert(folder.to_owned(), at);
            }
        }
        inner.make(&path, Kind::File, bytes, rights);
        let at = inner.names[&path];
        inner.nodes[at].kept = Some(bytes.to_vec());
        inner.kept_names.insert(path, at);
    }

    /// Puts a folder or a link in the place of a file.
    pub(crate) fn put_other(&self, path: &str, fault: Fault) {
        let mut inner = self.inner.lock().unwrap();
        inner.victim = path.into();
        inner.meddle(fault);
    }

    /// Makes a folder that belongs to another account.
    pub(crate) fn put_foreign_folder(&self, path: &str) {
        let mut inner = self.inner.lock().unwrap();
        inner.make(Path::new(path), Kind::Folder, b"", 0o2755);
    }

    /// Removes a file and what is known of it.
    pub(crate) fn take(&self, path: &str) {
        let mut inner = self.inner.lock().unwrap();
        inner.names.retain(|name, _| !name.starts_with(path));
        inner.kept_names.retain(|name, _| !name.starts_with(path));
    }

    /// The content of a file.
    pub(crate) fn get(&self, path: &str) -> Option<Vec<u8>> {
        let inner = self.inner.lock().unwrap();
        inner.node(Path::new(path)).map(|node| node.seen.clone())
    }

    /// The same server, alive and well, as a kill leaves it.
    pub(crate) fn after_kill(&self) -> Self {
        let mut inner = self.inner.lock().unwrap().clone();
        inner.operations = 0;
        inner.writing.clear();
        inner.fault = None;
        inner.is_full = false;
        inner.is_locked = false;
        inner.shots = None;
        Self {
            inner: Mutex::new(inner),
        }
    }

    /// The same server as a power cut leaves it.
    pub(crate) fn after_cut(&self, cut: Cut) -> Self {
        let world = self.after_kill();
        {
            let mut inner = world.inner.lock().unwrap();
            if cut == Cut::Synced {
                inner.names = inner.kept_names.clone();
            }
            let names: Vec<PathBuf> = inner.names.keys().cloned().collect();
            for name in names {
                let has_folder = name
                    .parent()
                    .is_none_or(|folder| folder.as_os_str().is_empty() || inner.names.contains_key(folder));
                if !has_folder {
                    inner.names.remove(&name);
                }
            }
            for node in &mut inner.nodes {
                if node.kind != Kind::File {
                    continue;
                }
                let kept = node.kept.clone().unwrap_or_default();
                if node.seen != kept {
                    node.seen = match cut {
                        Cut::Torn if node.seen.len() > kept.len() => {
                            node.seen[..kept.len() + (node.seen.len() - kept.len()) / 2].to_vec()
                        }
                        _ => kept,
                    };
                }
                node.kept = Some(node.seen.clone());
            }
            inner.kept_names = inner.names.clone();
        }
        world
    }

    /// Keeps what a kill would leave at every operation from here on.
    pub(crate) fn keep_shots(&self) {
        self.inner.lock().unwrap().shots = Some(Vec::new());
    }

    /// What was kept, alive and well.
    pub(crate) fn shots(&self) -> Vec<Self> {
        let shots = self.inner.lock().unwrap().shots.take().unwrap_or_default();
        let worlds = shots.into_iter().map(|inner| Self {
            inner: Mutex::new(inner),
        });
        worlds.map(|world| world.after_kill()).collect()
    }

    /// Keeps what a kill in the middle of a command would leave.
    pub(crate) fn shoot_command(&self, play: impl FnOnce(&Self)) {
        let mut inner = self.inner.lock().unwrap();
        let Some(mut shots) = inner.shots.take() else {
            return;
        };
        let copy = Self {
            inner: Mutex::new(inner.clone()),
        };
        play(&copy);
        shots.push(copy.inner.into_inner().unwrap());
        inner.shots = Some(shots);
    }

    /// What programs can see of it.
    pub(crate) fn digest(&self) -> Digest {
        self.inner.lock().unwrap().digest()
    }

    /// Arms a fault.
    pub(crate) fn arm(&self, at: usize, fault: Fault, victim: &str) {
        let mut inner = self.inner.lock().unwrap();
        inner.fault = Some((at, fault));
        inner.victim = victim.into();
    }

    /// Every file outside the folder of cbgen.
    pub(crate) fn tree(&self) -> Tree {
        let inner = self.inner.lock().unwrap();
        let files = inner
            .names
            .iter()
            .filter(|(path, _)| !path.starts_with("C/ProgramData/cbgen"));
        files
            .filter(|(_, at)| inner.nodes[**at].kind == Kind::File)
            .map(|(path, at)| {
                (
                    path.clone(),
                    (inner.nodes[*at].seen.clone(), inner.nodes[*at].rights),
                )
            })
            .collect()
    }

    /// When each name was last written.
    pub(crate) fn stamps(&self) -> BTreeMap<PathBuf, (usize, u64)> {
        let inner = self.inner.lock().unwrap();
        let names = inner.names.iter();
        names
            .map(|(path, at)| (path.clone(), (*at, inner.nodes[*at].stamp)))
            .collect()
    }

    /// Paths of every file below a folder.
    pub(crate) fn below(&self, folder: &str) -> Vec<PathBuf> {
        let inner = self.inner.lock().unwrap();
        let names = inner.names.iter().filter(|(path, _)| path.starts_with(folder));
        names
            .filter(|(_, at)| inner.nodes[**at].kind == Kind::File)
            .map(|(path, _)| path.clone())
            .collect()
    }

    /// An operation that is not one of the disk: an external command. The fault that strikes it.
    pub(crate) fn command(&self) -> io::Result<Option<Fault>> {
        self.inner.lock().unwrap().begin(true)
    }

    fn write(&self, path: &Path, bytes: &[u8], is_new: bool) -> io::Result<()> {
        let mut inner = self.inner.lock().unwrap();
        let fault = inner.begin(true)?;
        if !path
            .parent()
            .is_some_and(|folder| inner.node(folder).is_some_and(|node| node.kind == Kind::Folder))
        {
            return Err(io::ErrorKind::NotFound.into());
        }
        match inner.node(path) {
            Some(_) if is_new => return Err(io::ErrorKind::AlreadyExists.into()),
            Some(node) if node.kind != Kind::File => return Err(io::ErrorKind::IsADirectory.into()),
            Some(_) => {}
            None => inner.make(path, Kind::File, b"", 0o600),
        }
        if bytes.len() > 1 {
            inner.shoot(|inner| {
                let at = inner.names[path];
                inner.nodes[at].seen.extend_from_slice(&bytes[..bytes.len() / 2]);
            });
        }
        let half = matches!(fault, Some(Fault::FullOnce | Fault::FullFrom));
        let bytes = if half { &bytes[..bytes.len() / 2] } else { bytes };
        inner.clock += 1;
        let clock = inner.clock;
        let at = inner.names[path];
        inner.nodes[at].seen.extend_from_slice(bytes);
        inner.nodes[at].stamp = clock;
        if matches!(fault, Some(Fault::FullOnce | Fault::FullFrom)) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path, may_be_there: bool) -> io::Result<()> {
        let mut inner = self.inner.lock().unwrap();
        inner.begin(true)?;
        if inner.node(from).is_none() {
            return Err(io::ErrorKind::NotFound.into());
        }
        if inner.node(to).is_some() && !may_be_there {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        if !may_be_there {
            inner.shoot(|inner| {
                let at = inner.names[from];
                inner.names.insert(to.to_owned(), at);
            });
        }
        if let Some(at) = inner.names.remove(from) {
            inner.names.insert(to.to_owned(), at);
        }
        Ok(())
    }
}

impl Disk for World {
    fn look(&self, path: &Path) -> io::Result<Option<Found>> {
        let mut inner = self.inner.lock().unwrap();
        inner.begin(false)?;
        let found = inner.node(path).map(|node| match node.kind {
            Kind::File => Found::File(node.seen.len() as u64),
            Kind::Folder => Found::Folder,
            Kind::Link => Found::Link,
        });
        Ok(found)
    }

    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        let mut inner = self.inner.lock().unwrap();
        inner.begin(false)?;
        let node = inner.node(path).ok_or(io::ErrorKind::NotFound)?;
        if node.kind != Kind::File {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        if node.seen.len() as u64 > limit {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let bytes = node.seen.clone();
        Ok(bytes)
    }

    fn names(&self, folder: &Path) -> io::Result<Vec<String>> {
        let mut inner = self.inner.lock().unwrap();
        inner.begin(false)?;
        inner.node(folder).ok_or(io::ErrorKind::NotFound)?;
        let inside = inner.names.keys().filter(|path| path.parent() == Some(folder));
        let names = inside
            .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
            .collect();
        Ok(names)
    }

    fn make_folder(&self, path: &Path) -> io::Result<()> {
        let mut inner = self.inner.lock().unwrap();
        let fault = inner.begin(true)?;
        if matches!(fault, Some(Fault::FullOnce | Fault::FullFrom)) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        match inner.node(path) {
            None => inner.make(path, Kind::Folder, b"", 0o700),
            // A mark of these tests: it belongs to another account.
            Some(node) if node.rights & 0o2000 != 0 => return Err(io::ErrorKind::PermissionDenied.into()),
            Some(_) => {}
        }
        Ok(())
    }

    fn write_new(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.write(path, bytes, true)
    }

    fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.write(path, bytes, false)
    }

    fn cut(&self, path: &Path, length: u64) -> io::Result<()> {
        let mut inner = self.inner.lock().unwrap();
        inner.begin(true)?;
        let at = *inner.names.get(path).ok_or(io::ErrorKind::NotFound)?;
        inner.nodes[at].seen.truncate(usize::try_from(length).unwrap());
        Ok(())
    }

    fn sync_file(&self, path: &Path) -> io::Result<()> {
        let mut inner = self.inner.lock().unwrap();
        inner.begin(true)?;
        let at = *inner.names.get(path).ok_or(io::ErrorKind::NotFound)?;
        inner.nodes[at].kept = Some(inner.nodes[at].seen.clone());
        Ok(())
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        let mut inner = self.inner.lock().unwrap();
        inner.begin(true)?;
        let inside = |name: &Path| name.parent() == Some(path);
        inner.kept_names.retain(|name, _| !inside(name));
        let names: Vec<_> = inner.names.iter().filter(|(name, _)| inside(name)).collect();
        let names: Vec<(PathBuf, usize)> = names.into_iter().map(|(name, at)| (name.clone(), *at)).collect();
        inner.kept_names.extend(names);
        Ok(())
    }

    fn replace(&self, target: &Path, new: &Path, backup: &Path) -> io::Result<()> {
        let mut inner = self.inner.lock().unwrap();
        let fault = inner.begin(true)?;
        let (Some(&old), Some(&fresh)) = (inner.names.get(target), inner.names.get(new)) else {
            return Err(io::ErrorKind::NotFound.into());
        };
        if inner.nodes[old].kind != Kind::File {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        if inner.names.contains_key(backup) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        inner.names.insert(backup.to_owned(), old);
        inner.names.remove(target);
        inner.shoot(|_| {});
        // Windows renames twice; between the two there is no target. A full disk stops it there as well.
        if matches!(fault, Some(Fault::FullOnce | Fault::FullFrom)) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        inner.nodes[fresh].rights = inner.nodes[old].rights;
        inner.names.remove(new);
        inner.names.insert(target.to_owned(), fresh);
        Ok(())
    }

    fn rename_to_free(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.rename(from, to, false)
    }

    fn rename_over(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.rename(from, to, true)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut inner = self.inner.lock().unwrap();
        let is_there = inner.names.contains_key(path);
        inner.begin(is_there)?;
        inner.names.remove(path);
        Ok(())
    }

    fn may_change(&self, path: &Path) -> io::Result<()> {
        let mut inner = self.inner.lock().unwrap();
        inner.begin(false)?;
        // A mark of these tests: somebody holds the file.
        if inner.node(path).is_some_and(|node| node.rights & 0o1000 != 0) {
            return Err(io::ErrorKind::ResourceBusy.into());
        }
        let denied = inner.node(path).is_some_and(|node| node.rights & 0o200 == 0);
        if denied {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        Ok(())
    }

    fn free_space(&self, _: &Path) -> io::Result<u64> {
        let mut inner = self.inner.lock().unwrap();
        inner.begin(false)?;
        let free = inner.free;
        Ok(free)
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Held>> {
        let mut inner = self.inner.lock().unwrap();
        inner.begin(true)?;
        if inner.is_locked {
            return Ok(None);
        }
        if inner.node(path).is_none() {
            inner.make(path, Kind::File, b"", 0o600);
        }
        Ok(Some(Held::new(())))
    }

    fn is_locked(&self, _: &Path) -> bool {
        self.inner.lock().unwrap().is_locked
    }

    fn holders(&self, _: &Path) -> Vec<String> {
        Vec::new()
    }
}

impl World {
    /// Lets somebody else hold the lock.
    pub(crate) fn lock_it(&self, is_locked: bool) {
        self.inner.lock().unwrap().is_locked = is_locked;
    }
}
