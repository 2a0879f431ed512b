//! The calls on Windows. Every `unsafe` block of the project is in this file.
#![expect(
    unsafe_code,
    reason = "system calls; each block holds one and says why it is sound"
)]

use std::fs::File;
use std::io;
use std::os::windows::ffi::OsStrExt as _;
use std::os::windows::fs::OpenOptionsExt as _;
use std::os::windows::io::AsRawHandle as _;
use std::path::Path;
use std::time::Duration;

use windows_sys::Win32::Foundation::{
    CloseHandle, ERROR_ACCESS_DENIED, ERROR_LOCK_VIOLATION, ERROR_MORE_DATA, ERROR_SHARING_VIOLATION,
    ERROR_SUCCESS, ERROR_UNABLE_TO_REMOVE_REPLACED, ERROR_USER_MAPPED_FILE, GENERIC_WRITE, HANDLE, LocalFree,
};
use windows_sys::Win32::Security::Authorization::{
    ConvertSidToStringSidW, ConvertStringSecurityDescriptorToSecurityDescriptorW, GetSecurityInfo,
    SDDL_REVISION_1, SE_FILE_OBJECT,
};
use windows_sys::Win32::Security::{
    GetTokenInformation, OWNER_SECURITY_INFORMATION, PSECURITY_DESCRIPTOR, PSID, SECURITY_ATTRIBUTES,
    TOKEN_ELEVATION, TOKEN_QUERY, TOKEN_USER, TokenElevation, TokenUser,
};
use windows_sys::Win32::Storage::FileSystem::{
    BY_HANDLE_FILE_INFORMATION, CreateDirectoryW, FILE_FLAG_BACKUP_SEMANTICS, FILE_FLAG_OPEN_REPARSE_POINT,
    GetDiskFreeSpaceExW, GetFileInformationByHandle, MOVEFILE_REPLACE_EXISTING, MOVEFILE_WRITE_THROUGH,
    MoveFileExW, READ_CONTROL, ReplaceFileW,
};
use windows_sys::Win32::System::Console::{CONSOLE_MODE, ENABLE_ECHO_INPUT, GetConsoleMode, SetConsoleMode};
use windows_sys::Win32::System::RestartManager::{
    CCH_RM_SESSION_KEY, RM_PROCESS_INFO, RmEndSession, RmGetList, RmRegisterResources, RmStartSession,
};
use windows_sys::Win32::System::SystemInformation::{ComputerNamePhysicalNetBIOS, GetComputerNameExW};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};

use super::{DENIED_PATIENCE, PATIENCE, unlimited};

/// A path for a system call, with the zero at its end. A path with a zero inside names no file.
fn wide(path: &Path) -> io::Result<Vec<u16>> {
    let absolute = std::path::absolute(path)?;
    let path = absolute.to_str().map_or_else(|| absolute.clone(), unlimited);
    let mut units: Vec<u16> = path.as_os_str().encode_wide().collect();
    if units.contains(&0) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "a path with a zero in it",
        ));
    }
    units.push(0);
    Ok(units)
}

/// The answer of a call that gives zero when it fails.
fn answer(result: i32) -> io::Result<()> {
    if result == 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

pub(crate) fn replace_file(target: &Path, new: &Path, backup: &Path) -> io::Result<()> {
    let (target, new, backup) = (wide(target)?, wide(new)?, wide(backup)?);
    // No flags: what of the old file cannot be kept is an error, never passed over.
    // SAFETY: the three texts end with a zero and live until the call returns; the reserved pointers are null as documented.
    answer(unsafe {
        ReplaceFileW(
            target.as_ptr(),
            new.as_ptr(),
            backup.as_ptr(),
            0,
            std::ptr::null(),
            std::ptr::null(),
        )
    })
}

pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    let (from, to) = (wide(from)?, wide(to)?);
    let flags = MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH;
    // SAFETY: both texts end with a zero and live until the call returns.
    answer(unsafe { MoveFileExW(from.as_ptr(), to.as_ptr(), flags) })
}

/// Opens a file, folder or link itself.
fn open(path: &Path, access: u32) -> io::Result<File> {
    File::options()
        .access_mode(access)
        .custom_flags(FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT)
        .open(path)
}

pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::options()
        .access_mode(GENERIC_WRITE)
        .custom_flags(FILE_FLAG_BACKUP_SEMANTICS)
        .open(folder)?
        .sync_all()
}

/// Who may do what with a folder that is nobody else's business: protected from what the folder above says, all rights for
/// the system (`SY`), administrators (`BA`) and the owner (`S-1-3-4`), and the same for what is made inside.
const PRIVATE: &str = "D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;S-1-3-4)";

pub(crate) fn make_private_folder(folder: &Path) -> io::Result<()> {
    let folder = wide(folder)?;
    let rights: Vec<u16> = PRIVATE.encode_utf16().chain([0]).collect();
    let mut descriptor: PSECURITY_DESCRIPTOR = std::ptr::null_mut();
    // SAFETY: the text ends with a zero; `descriptor` is a place for a pointer, and the size may be null.
    answer(unsafe {
        ConvertStringSecurityDescriptorToSecurityDescriptorW(
            rights.as_ptr(),
            SDDL_REVISION_1,
            &raw mut descriptor,
            std::ptr::null_mut(),
        )
    })?;
    let attributes = SECURITY_ATTRIBUTES {
        nLength: u32::try_from(size_of::<SECURITY_ATTRIBUTES>()).unwrap_or(0),
        lpSecurityDescriptor: descriptor,
        bInheritHandle: 0,
    };
    // SAFETY: the text ends with a zero, and the descriptor made above lives until it is freed below.
    let made = answer(unsafe { CreateDirectoryW(folder.as_ptr(), &raw const attributes) });
    // SAFETY: the call above allocated the descriptor, which is not used again.
    unsafe { LocalFree(descriptor) };
    made
}

/// `NT SERVICE\TrustedInstaller`, to which files of Windows belong.
const INSTALLER: &str = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464";

pub(crate) fn is_owned_by_somebody(path: &Path) -> io::Result<bool> {
    let file = open(path, READ_CONTROL)?;
    let mut owner: PSID = std::ptr::null_mut();
    let mut descriptor: PSECURITY_DESCRIPTOR = std::ptr::null_mut();
    // SAFETY: the handle is open while `file` lives; both results are places for pointers, the others may be null.
    let code = unsafe {
        GetSecurityInfo(
            file.as_raw_handle(),
            SE_FILE_OBJECT,
            OWNER_SECURITY_INFORMATION,
            &raw mut owner,
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            &raw mut descriptor,
        )
    };
    if code != ERROR_SUCCESS {
        return Err(io::Error::from_raw_os_error(
            i32::try_from(code).unwrap_or(i32::MAX),
        ));
    }
    let text = sid_text(owner);
    // SAFETY: the call above allocated the descriptor; the owner lies in it and is not used again.
    unsafe { LocalFree(descriptor) };
    let text = text?;
    let known = ["S-1-5-18", "S-1-5-32-544", INSTALLER].contains(&text.as_str());
    Ok(!known && text != account()?)
}

/// The text form of a security identifier that the system gave.
fn sid_text(sid: PSID) -> io::Result<String> {
    let mut text: *mut u16 = std::ptr::null_mut();
    // SAFETY: `sid` is one the system gave and is alive; `text` is a place for a pointer.
    answer(unsafe { ConvertSidToStringSidW(sid, &raw mut text) })?;
    let mut units = Vec::new();
    // An identifier has at most 15 numbers of at most 10 digits.
    for at in 0..256 {
        // SAFETY: the text ends with a zero, and nothing behind that is read.
        let unit = unsafe { *text.add(at) };
        if unit == 0 {
            break;
        }
        units.push(unit);
    }
    // SAFETY: the call above allocated the text, which is not used again.
    unsafe { LocalFree(text.cast()) };
    Ok(String::from_utf16_lossy(&units))
}

/// The account this process runs as.
fn account() -> io::Result<String> {
    let mut token: HANDLE = std::ptr::null_mut();
    // SAFETY: the first handle stands for this process and needs no closing; `token` is a place for a handle.
    answer(unsafe { OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &raw mut token) })?;
    // A structure and the identifier behind it, which has at most 68 bytes; whole words, so that the structure is aligned.
    let mut buffer = [0_u64; 32];
    let mut written = 0;
    // SAFETY: `buffer` has as many bytes as is said, and is aligned for the structure that is put at its beginning.
    let known = answer(unsafe {
        GetTokenInformation(
            token,
            TokenUser,
            buffer.as_mut_ptr().cast(),
            u32::try_from(size_of_val(&buffer)).unwrap_or(0),
            &raw mut written,
        )
    });
    // SAFETY: the handle was opened above and is not used again.
    unsafe { CloseHandle(token) };
    known?;
    // SAFETY: the call above put this structure at the beginning of `buffer`, which is alive.
    let user = unsafe { &*buffer.as_ptr().cast::<TOKEN_USER>() };
    sid_text(user.User.Sid)
}

pub(crate) fn identity(path: &Path) -> io::Result<Option<u64>> {
    let file = open(path, 0)?;
    let mut found = BY_HANDLE_FILE_INFORMATION::default();
    // SAFETY: the handle is open while `file` lives, and `found` is a structure of the type that the call fills.
    answer(unsafe { GetFileInformationByHandle(file.as_raw_handle(), &raw mut found) })?;
    let number = u64::from(found.nFileIndexHigh) << 32 | u64::from(found.nFileIndexLow);
    // Servers of shares that have no numbers give this one to all files.
    Ok((number != 0).then_some(number))
}

pub(crate) fn free_space(existing: &Path) -> io::Result<u64> {
    let folder = if existing.is_dir() {
        existing
    } else {
        existing.parent().unwrap_or(existing)
    };
    let folder = wide(folder)?;
    let mut free = 0_u64;
    // SAFETY: the text ends with a zero; `free` is a number of 64 bits, and the other two results may be null.
    answer(unsafe {
        GetDiskFreeSpaceExW(
            folder.as_ptr(),
            &raw mut free,
            std::ptr::null_mut(),
            std::ptr::null_mut(),
        )
    })?;
    Ok(free)
}

pub(crate) fn computer_name() -> String {
    let mut name = [0_u16; 256];
    let mut length = 256;
    // SAFETY: `length` says how many units `name` has room for, and is set to how many were written.
    let known =
        unsafe { GetComputerNameExW(ComputerNamePhysicalNetBIOS, name.as_mut_ptr(), &raw mut length) };
    let units = usize::try_from(length).ok().and_then(|length| name.get(..length));
    match units {
        Some(units) if known != 0 => String::from_utf16_lossy(units),
        _ => String::new(),
    }
}

pub(crate) fn is_elevated() -> bool {
    let mut token: HANDLE = std::ptr::null_mut();
    // SAFETY: the first handle stands for this process and needs no closing; `token` is a place for a handle.
    if unsafe { OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &raw mut token) } == 0 {
        return false;
    }
    let mut elevation = TOKEN_ELEVATION::default();
    let size = u32::try_from(size_of::<TOKEN_ELEVATION>()).unwrap_or(0);
    let mut written = 0;
    // SAFETY: `elevation` is the structure that this class of information fills, and `size` is its size.
    let known = unsafe {
        GetTokenInformation(
            token,
            TokenElevation,
            (&raw mut elevation).cast(),
            size,
            &raw mut written,
        )
    };
    // SAFETY: the handle was opened above and is not used again.
    unsafe { CloseHandle(token) };
    known != 0 && elevation.TokenIsElevated != 0
}

/// How the console was.
#[derive(Debug)]
pub(crate) struct Typing(CONSOLE_MODE);

pub(crate) fn hide_typing() -> io::Result<Typing> {
    let mut before = 0;
    // SAFETY: the handle is that of the standard input, which stays open, and `before` is a place for a mode.
    answer(unsafe { GetConsoleMode(io::stdin().as_raw_handle(), &raw mut before) })?;
    // SAFETY: the handle is that of a console, as the call before has shown; a mode is a number.
    answer(unsafe { SetConsoleMode(io::stdin().as_raw_handle(), before & !ENABLE_ECHO_INPUT) })?;
    Ok(Typing(before))
}

impl Drop for Typing {
    fn drop(&mut self) {
        // SAFETY: as above. What cannot be set back is seen by the person who types next.
        unsafe { SetConsoleMode(io::stdin().as_raw_handle(), self.0) };
    }
}

pub(crate) fn holders(path: &Path) -> Vec<String> {
    let Ok(path) = wide(path) else { return Vec::new() };
    let mut key = [0_u16; CCH_RM_SESSION_KEY as usize + 1];
    let mut session = 0;
    // SAFETY: `key` has room for the documented length and its zero, `session` is a place for a number.
    if unsafe { RmStartSession(&raw mut session, 0, key.as_mut_ptr()) } != ERROR_SUCCESS {
        return Vec::new();
    }
    let files = [path.as_ptr()];
    // SAFETY: one text that ends with a zero and lives longer than the call; the other lists are empty.
    let registered = unsafe {
        RmRegisterResources(
            session,
            1,
            files.as_ptr(),
            0,
            std::ptr::null(),
            0,
            std::ptr::null(),
        )
    };
    let mut names = Vec::new();
    if registered == ERROR_SUCCESS {
        let mut found = vec![RM_PROCESS_INFO::default(); 16];
        let (mut needed, mut count, mut reboot) = (0, 16, 0);
        // SAFETY: `found` has room for as many structures as `count` says, which is set to how many were written.
        let listed = unsafe {
            RmGetList(
                session,
                &raw mut needed,
                &raw mut count,
                found.as_mut_ptr(),
                &raw mut reboot,
            )
        };
        if listed == ERROR_SUCCESS || listed == ERROR_MORE_DATA {
            found.truncate(usize::try_from(count).unwrap_or(0));
            names = found
                .iter()
                .map(|process| {
                    let name = process
                        .strAppName
                        .split(|unit| *unit == 0)
                        .next()
                        .unwrap_or_default();
                    format!(
                        "{} (process {})",
                        String::from_utf16_lossy(name),
                        process.Process.dwProcessId
                    )
                })
                .collect();
        }
    }
    // SAFETY: the session was started above and is not used again.
    unsafe { RmEndSession(session) };
    names.sort();
    names.dedup();
    names
}

pub(crate) fn patience(error: &io::Error) -> Option<Duration> {
    let code = error.raw_os_error().and_then(|code| u32::try_from(code).ok())?;
    match code {
        ERROR_SHARING_VIOLATION
        | ERROR_LOCK_VIOLATION
        | ERROR_UNABLE_TO_REMOVE_REPLACED
        | ERROR_USER_MAPPED_FILE => Some(PATIENCE),
        ERROR_ACCESS_DENIED => Some(DENIED_PATIENCE),
        _ => None,
    }
}
