//! A file system in memory, for tests of everything above.
//!
//! It behaves as the disk does where the compiler can tell the difference: parents exist, hard links keep content
//! alive (writing through one of two names is the exception: it parts them), identities survive renames. Listings can be handed out in a shuffled order to prove that nobody depends on
//! it. This module must not touch the real file system.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Entry, EntryKind, Files, Handle, Links, Lock, not_regular, too_large};

#[derive(Clone, Debug)]
struct Node {
    /// `None` for a folder.
    content: Option<Arc<Vec<u8>>>,
    identity: u64,
}

#[derive(Clone, Debug, Default)]
struct State {
    nodes: BTreeMap<PathBuf, Node>,
    last_identity: u64,
}

/// Files in memory. Paths are plain relative paths without `.` and `..`.
#[derive(Debug, Default)]
pub struct MemoryFiles {
    state: Mutex<State>,
    shuffled: bool,
}

impl MemoryFiles {
    /// Files whose listings come in an order that is not sorted.
    pub fn shuffled() -> Self {
        Self {
            shuffled: true,
            ..Self::default()
        }
    }

    /// Every file with its content.
    pub fn contents(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        self.state()
            .nodes
            .iter()
            .filter_map(|(path, node)| Some((path.clone(), node.content.as_deref()?.clone())))
            .collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A poisoned lock only means that another test thread failed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn fresh(&mut self) -> u64 {
        self.last_identity += 1;
        self.last_identity
    }

    fn make_folder(&mut self, path: &Path) -> io::Result<()> {
        let ancestors: Vec<&Path> = path
            .ancestors()
            .filter(|path| !path.as_os_str().is_empty())
            .collect();
        for ancestor in ancestors.into_iter().rev() {
            match self.nodes.get(ancestor) {
                Some(Node { content: Some(_), .. }) => return Err(io::ErrorKind::NotADirectory.into()),
                Some(_) => {}
                None => {
                    let identity = self.fresh();
                    self.nodes.insert(
                        ancestor.to_owned(),
                        Node {
                            content: None,
                            identity,
                        },
                    );
                }
            }
        }
        Ok(())
    }

    fn make_parents(&mut self, path: &Path) -> io::Result<()> {
        path.parent().map_or(Ok(()), |parent| self.make_folder(parent))
    }

    /// Takes a path and everything below it out of the table; paths become relative.
    fn take(&mut self, path: &Path) -> Vec<(PathBuf, Node)> {
        let below: Vec<PathBuf> = self
            .nodes
            .range(path.to_owned()..)
            .take_while(|(found, _)| found.starts_with(path))
            .map(|(found, _)| found.clone())
            .collect();
        below
            .into_iter()
            .filter_map(|found| {
                let node = self.nodes.remove(&found)?;
                Some((found.strip_prefix(path).unwrap_or(&found).to_owned(), node))
            })
            .collect()
    }

    fn put(&mut self, path: &Path, taken: Vec<(PathBuf, Node)>) {
        for (relative, node) in taken {
            let to = if relative.as_os_str().is_empty() {
                path.to_owned()
            } else {
                path.join(relative)
            };
            self.nodes.insert(to, node);
        }
    }

    fn node(&self, path: &Path) -> io::Result<&Node> {
        self.nodes.get(path).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Files for MemoryFiles {
    fn open(&self, path: &Path, _: Links) -> io::Result<Box<dyn Handle>> {
        Ok(Box::new(io::Cursor::new(self.read(path, u64::MAX)?)))
    }

    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        let state = self.state();
        let content = state.node(path)?.content.as_deref().ok_or_else(not_regular)?;
        if u64::try_from(content.len()).unwrap_or(u64::MAX) > limit {
            return Err(too_large(limit));
        }
        Ok(content.clone())
    }

    fn kind(&self, path: &Path) -> io::Result<Option<EntryKind>> {
        Ok(self.state().nodes.get(path).map(|node| match node.content {
            Some(_) => EntryKind::File,
            None => EntryKind::Folder,
        }))
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<Entry>> {
        let state = self.state();
        // The root is always there and has no name.
        if !folder.as_os_str().is_empty() {
            state.node(folder)?;
        }
        let mut entries: Vec<Entry> = state
            .nodes
            .iter()
            .filter_map(|(path, node)| {
                let path = path.strip_prefix(folder).ok()?;
                let kind = if node.content.is_some() {
                    EntryKind::File
                } else {
                    EntryKind::Folder
                };
                (!path.as_os_str().is_empty()).then(|| Entry {
                    path: path.to_owned(),
                    kind,
                })
            })
            .collect();
        if self.shuffled {
            // Any fixed order that is not the sorted one: by the text read backwards.
            entries
                .sort_by_cached_key(|entry| entry.path.to_string_lossy().chars().rev().collect::<String>());
        } else {
            entries.sort();
        }
        Ok(entries)
    }

    fn children(&self, folder: &Path) -> io::Result<Vec<Entry>> {
        let mut entries = self.list(folder)?;
        entries.retain(|entry| entry.path.components().count() == 1);
        Ok(entries)
    }

    fn identity(&self, path: &Path) -> io::Result<Option<u64>> {
        Ok(Some(self.state().node(path)?.identity))
    }

    fn make_folder(&self, path: &Path) -> io::Result<()> {
        self.state().make_folder(path)
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        state.make_parents(path)?;
        let identity = match state.nodes.get(path) {
            Some(Node { content: None, .. }) => return Err(io::ErrorKind::IsADirectory.into()),
            Some(node) => node.identity,
            None => state.fresh(),
        };
        let content = Some(Arc::new(bytes.to_vec()));
        state.nodes.insert(path.to_owned(), Node { content, identity });
        Ok(())
    }

    fn link_or_copy(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.make_parents(to)?;
        let node = state.node(from)?.clone();
        if node.content.is_none() {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        if state.nodes.contains_key(to) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        state.nodes.insert(to.to_owned(), node);
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        let moves_folder = state.node(from)?.content.is_none();
        match state.nodes.get(to).map(|node| node.content.is_none()) {
            Some(true) => return Err(io::ErrorKind::DirectoryNotEmpty.into()),
            Some(false) if moves_folder => return Err(io::ErrorKind::NotADirectory.into()),
            Some(false) | None => {}
        }
        let taken = state.take(from);
        state.put(to, taken);
        Ok(())
    }

    fn exchange(&self, left: &Path, right: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.node(left)?;
        state.node(right)?;
        let taken_left = state.take(left);
        let taken_right = state.take(right);
        state.put(right, taken_left);
        state.put(left, taken_right);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        drop(self.state().take(path));
        Ok(())
    }

    fn sync(&self, folders: &[PathBuf]) -> io::Result<()> {
        let state = self.state();
        folders
            .iter()
            .try_for_each(|folder| state.node(folder).map(|_| ()))
    }

    fn sync_names(&self, folders: &[PathBuf]) -> io::Result<()> {
        self.sync(folders)
    }

    fn lock(&self, _: &Path) -> io::Result<Option<Lock>> {
        Ok(Some(Lock::of_memory()))
    }
}
