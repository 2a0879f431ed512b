//! Forms of Windows paths that every generated file can carry.
//!
//! Every function says what is wrong as a clause behind "it is refused: ". Nothing here knows fields or places.

use super::shorten;
use crate::contract::path::is_device_name;
use crate::inventory::characters;

/// Longest folder: with the longest path below it, it stays under the 260 characters of old Windows tools.
const MAX_FOLDER: usize = 120;

/// A folder on a local drive of Windows that every generated file can carry (DEF-12, DEF-94).
pub fn windows_folder(value: &str) -> Result<(), String> {
    if value.starts_with(r"\\") || value.starts_with("//") {
        return Err(
            "it is a network share; write a folder on a local drive, as services start before the network"
                .into(),
        );
    }
    let mut start = value.chars();
    let drive = (start.next(), start.next(), start.next());
    let rest =
        match drive {
            (Some(letter), Some(':'), Some('\\')) if letter.is_ascii_alphabetic() => start.as_str(),
            (Some(letter), Some(':'), Some('/')) if letter.is_ascii_alphabetic() => {
                return Err(r"it is written with `/`; write Windows paths with `\`".into());
            }
            (Some(letter), Some(':'), _) if letter.is_ascii_alphabetic() => {
                return Err(
                    r"there is no `\` behind the drive letter, so it depends on the folder a program runs in"
                        .into(),
                );
            }
            _ => return Err(
                r"it does not begin with a drive, as in `C:\`; relative paths depend on who runs a program"
                    .into(),
            ),
        };
    for character in rest.chars() {
        if let Some(why) = unsafe_in_path(character) {
            return Err(format!("it holds {}: {why}", characters::name(character)));
        }
    }
    if rest.is_empty() {
        return Err("it is a whole drive; name a folder on it".into());
    }
    if rest.ends_with('\\') {
        return Err(r"it ends with `\`, which would escape the closing quote in scripts".into());
    }
    if value.len() > MAX_FOLDER {
        return Err(format!(
            "it has {} characters, more than {MAX_FOLDER}; paths below it would exceed what Windows tools open",
            value.len()
        ));
    }
    for component in rest.split('\\') {
        if component.is_empty() {
            return Err(r"it holds `\\`; between single quotes a backslash is written once".into());
        }
        if component == "." || component == ".." {
            return Err(format!("`{component}` is not allowed; write the folder itself"));
        }
        if component.ends_with(['.', ' ']) || component.starts_with(' ') {
            return Err(format!(
                "it has `{}`, and Windows drops a blank or dot at an end of a name",
                shorten(component)
            ));
        }
        if is_device_name(component) {
            return Err(format!(
                "`{}` is the name of a device on Windows",
                shorten(component)
            ));
        }
    }
    Ok(())
}

/// A file on a local drive of Windows: the rules of [`windows_folder`], and a name with an extension.
pub fn windows_file(value: &str) -> Result<(), String> {
    windows_folder(value)?;
    let name = value.rsplit('\\').next().unwrap_or(value);
    if name.contains('.') {
        Ok(())
    } else {
        Err(format!(
            "`{}` has no extension; write the file with its folder",
            shorten(name)
        ))
    }
}

/// A path below the folder of the file that names it, with either slash. A pull request can change that file, and must not
/// choose what is read or written elsewhere.
pub fn path_below(value: &str) -> Result<(), String> {
    let is_drive = value.as_bytes().get(1) == Some(&b':');
    if value.starts_with(['/', '\\']) || is_drive {
        return Err(
            "it is absolute; write a path below the folder of this file, or use the option of the command"
                .into(),
        );
    }
    if value.split(['/', '\\']).any(|part| part == "..") {
        return Err(
            "`..` leads out of the folder of this file; use the option of the command for other places"
                .into(),
        );
    }
    Ok(())
}

/// Why a path cannot hold a character. Paths reach batch scripts, nginx, Erlang terms, federation addresses, SQL,
/// XML and PowerShell; only what all of them carry unchanged is allowed.
fn unsafe_in_path(character: char) -> Option<&'static str> {
    match character {
        // `~` is in every short name of a folder: `C:\PROGRA~2`.
        'A'..='Z'
        | 'a'..='z'
        | '0'..='9'
        | '.'
        | '_'
        | '-'
        | '~'
        | '+'
        | '\\'
        | '('
        | ')'
        | ','
        | '='
        | '@'
        | ' ' => None,
        '/' => Some(r"write Windows paths with `\`"),
        '"' | '<' | '>' | '|' | '*' | '?' | ':' => Some("Windows forbids it in names"),
        '%' => Some("batch scripts expand it, and federation addresses (amqps URIs) decode it"),
        '!' => Some("batch scripts expand it, and RabbitMQ refuses it in its paths"),
        '^' => Some("batch scripts drop or double it, and RabbitMQ refuses it in its paths"),
        '[' | ']' | '{' | '}' => Some("RabbitMQ refuses it in its paths, and nginx reads braces as blocks"),
        '&' => Some("batch scripts end a command there, and federation addresses begin another parameter"),
        ';' => Some(
            "batch scripts and connection strings read it as a separator, nginx as the end of a directive",
        ),
        '#' => {
            Some("it cuts off the rest of a federation address, and with it the check of the other broker")
        }
        '$' => Some("nginx and PowerShell read a variable there, and nginx cannot escape it"),
        '`' => Some("PowerShell reads it as an escape"),
        '\'' => Some("SQL, PowerShell and nginx read it as a quote"),
        c if !c.is_ascii() => {
            Some("federation addresses and batch scripts carry bytes that Windows reads as other letters")
        }
        _ => Some("not every generated file can carry it"),
    }
}
