//! `cbgen sign`: a signature over a bundle, with a key of OpenSSH.
//!
//! A passphrase is asked for on the terminal, or comes from an environment variable whose name is given: never from an argument, which every
//! user of a computer can read.

use super::args::Sign;
use super::bundles::form;
use super::session::Session;
use super::workshop::{shown, unreadable};
use crate::change::sign::{key_finding, sign};
use crate::change::signature::{Key, KeyError};
use crate::diag::Diagnostic;
use crate::files::{DiskFiles, Files as _};

/// Largest private key file.
const LARGEST: u64 = 1 << 20;

/// Signs one bundle that is complete and unchanged.
pub(super) fn run(session: &mut Session, arguments: &Sign) {
    let files = DiskFiles::new("");
    let key = match unlocked(&files, arguments) {
        Ok(key) => key,
        Err(finding) => return session.report_files(&shown(&arguments.key), vec![*finding]),
    };
    match sign(&files, &arguments.bundle, &key, arguments.replace) {
        Ok(signing) => {
            let (holds, _) = form(signing.form);
            let done = if signing.written {
                "signed"
            } else {
                "was signed with this key already; nothing changed"
            };
            session.print(&format!(
                "{} ({holds}) {done}\nkey   {} {}\nseal  {}   (compare with the review)\n",
                shown(&arguments.bundle),
                signing.signature.algorithm(),
                signing.signature.fingerprint(),
                signing.seal.spoken(),
            ));
        }
        Err(findings) => session.report_files(&shown(&arguments.bundle), findings),
    }
}

fn unlocked(files: &DiskFiles, arguments: &Sign) -> Result<Key, Box<Diagnostic>> {
    let name = shown(&arguments.key);
    let told = |error| Box::new(key_finding(&name, error));
    let bytes = files
        .read(&arguments.key, LARGEST)
        .map_err(|error| Box::new(unreadable(&name, &error)))?;
    let key = Key::read(&bytes).map_err(told)?;
    if !key.is_locked() {
        return Ok(key);
    }
    let passphrase = passphrase(&name, arguments.passphrase_env.as_deref()).map_err(told)?;
    key.unlock(&passphrase).map_err(told)
}

fn passphrase(key: &str, variable: Option<&str>) -> Result<String, KeyError> {
    match variable {
        #[expect(clippy::disallowed_methods, reason = "the user named the variable")]
        Some(name) => std::env::var(name).map_err(|_| KeyError::NeedsPassphrase),
        // Asks on the terminal itself, whatever standard input is; fails where there is none.
        None => rpassword::prompt_password(format!("Passphrase of {key}: "))
            .map_err(|_| KeyError::NeedsPassphrase),
    }
}
