//! The text form of an SSH signature, read strictly.
//!
//! Readers of this form differ: some take CRLF or lines before the first, others take lines behind the last, so that one file
//! can hold one signature for one program and another for the next. Accepted here is what `ssh-keygen -Y sign` writes and nothing else
//! (OpenSSH, PROTOCOL.sshsig). This file must not know keys.

/// First line.
const BEGIN: &str = "-----BEGIN SSH SIGNATURE-----";
/// Last line.
const END: &str = "-----END SSH SIGNATURE-----";
/// More than the longest signature (RSA, 16384 bits) needs.
const LONGEST: usize = 16 << 10;

/// The text of a file if it is one signature in exactly one form; `Err` says what is not, in the grammar of diagnostics.
pub(super) fn text(bytes: &[u8]) -> Result<&str, String> {
    if bytes.len() > LONGEST {
        return Err(format!("it has {} bytes, more than any signature", bytes.len()));
    }
    let text = match str::from_utf8(bytes) {
        Ok(text) if text.is_ascii() => text,
        Ok(_) | Err(_) => return Err("it holds characters that no signature has".into()),
    };
    if text.contains('\r') {
        return Err("its lines end in CR LF; `ssh-keygen -Y sign` writes LF".into());
    }
    let Some(body) = text.strip_prefix(BEGIN).and_then(|text| text.strip_prefix('\n')) else {
        return Err(format!("its first line is not `{BEGIN}`"));
    };
    let Some(body) = body
        .strip_suffix('\n')
        .and_then(|text| text.strip_suffix(END))
        .and_then(|text| text.strip_suffix('\n'))
    else {
        return Err(format!("its last line is not `{END}`"));
    };
    let lines: Vec<&str> = body.split('\n').collect();
    let is_base64 = |line: &&str| {
        let digits = line.trim_end_matches('=');
        line.len() - digits.len() <= 2
            && digits
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(&byte))
    };
    let (last, before) = lines
        .split_last()
        .map_or(("", [].as_slice()), |(last, before)| (*last, before));
    let long = before.first().map_or(70, |line| line.len());
    // OpenSSH writes lines of 70 digits, other programs of 64 or 76; within a file they are all the same.
    let even = before
        .iter()
        .all(|line| line.len() == long && !line.contains('='));
    if !lines.iter().all(is_base64)
        || !even
        || !matches!(long, 64 | 70 | 76)
        || last.is_empty()
        || last.len() > long
    {
        return Err("its lines are not the base64 text of one signature".into());
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_form_only() {
        let good = format!("{BEGIN}\n{}\n{}\nU1NI==\n{END}\n", "A".repeat(70), "B".repeat(70));
        assert_eq!(text(good.as_bytes()), Ok(good.as_str()));
        let check = |bad: &str, expected: &str| {
            let error = text(bad.as_bytes()).unwrap_err();
            assert!(error.contains(expected), "{bad:?}: {error}");
        };
        check("", "first line");
        check(&good.replace('\n', "\r\n"), "CR LF");
        check(&format!("\n{good}"), "first line");
        check(&format!("Comment: x\n{good}"), "first line");
        check(&format!("{good}\n"), "last line");
        check(&format!("{good}{good}"), "base64");
        check(good.trim_end(), "last line");
        check(&good.replace("U1NI==", "U1NI= ="), "base64");
        check(&good.replace("U1NI==", "U1N\u{e9}"), "characters");
        check(&good.replace("U1NI==", ""), "base64");
        check(&good.replace("AAAA\n", "AAA\n"), "base64");
        check(&good.replace("B\n", "B\n\n"), "base64");
        check(&good.replace("BEGIN SSH", "BEGIN  SSH"), "first line");
        check(&"A".repeat(LONGEST + 1), "more than any signature");
    }
}
