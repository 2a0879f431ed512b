//! What the tokenizer of PowerShell and its list of what is allowed take and refuse.
//!
//! This file must not know what the scripts are for.

use super::*;
use proptest::prelude::*;

fn check(text: &str, expected: &[&str]) {
    let got: Vec<String> = match items(text) {
        Ok(items) => items
            .into_iter()
            .map(|item| format!("{} = {}", item.path, item.value))
            .collect(),
        Err(errors) => errors
            .into_iter()
            .map(|error| format!("{:?} {error}", error.range))
            .collect(),
    };
    assert_eq!(got, expected, "{text}");
}

#[test]
fn statements_are_items_and_layout_is_not() {
    check(
        "# hash check\n$path = Join-Path $PSScriptRoot 'a'; if (Test-Path -LiteralPath $path)\n{\n  Write-Host \"ok $path\"\n  exit 0\n}\nelse { exit 1 }\n",
        &[
            "01 $path = $path = Join-Path $PSScriptRoot 'a'",
            "02 if = if ( Test-Path -LiteralPath $path ) { Write-Host \"ok $path\" ; exit 0 ; } else { exit 1 }",
        ],
    );
    check(
        "Get-Item 'a' |\n  Out-Null\n",
        &["01 Get-Item = Get-Item 'a' | Out-Null"],
    );
    check(
        "function Test-One($a) { return $a.Length }\nTest-One 'x'\n",
        &[
            "01 function Test-One = function Test-One ( $a ) { return $a . Length }",
            "02 Test-One = Test-One 'x'",
        ],
    );
    check(
        "$a = @{ Name = 'x'; Size = 1 }\n",
        &["01 $a = $a = @{ Name = 'x' ; Size = 1 }"],
    );
    check(
        "$b = [System.IO.File]::ReadAllBytes($a)\n",
        &["01 $b = $b = [ System . IO . File ] :: ReadAllBytes ( $a )"],
    );
}

#[test]
fn only_known_commands() {
    for (bad, word) in [
        ("Invoke-Expression $a\n", "Invoke-Expression"),
        ("iex $a\n", "iex"),
        ("ls\n", "ls"),
        ("$a = Invoke-WebRequest $b\n", "Invoke-WebRequest"),
        ("Get-Item $a | iex\n", "iex"),
        ("if ($a) { curl $b }\n", "curl"),
        ("Write-Host (irm $b)\n", "irm"),
        ("Start-Process 'x'\n", "Start-Process"),
    ] {
        let errors = items(bad).unwrap_err();
        assert_eq!(
            errors[0].message,
            format!("`{word}` is not a command this script may use"),
            "{bad}"
        );
    }
    for bad in [
        "Get-Item $a | % { $_ }\n",
        "Get-Item $a | ? { $_ }\n",
        "Import-Module $a\n",
        "& 'x.exe'\n",
        ". $a\n",
        "New-Object Net.WebClient\n",
        "[System.Net.WebClient]::new()\n",
        "[Net.Dns]::GetHostName()\n",
        "[scriptblock]::Create($a)\n",
        "$a.Invoke()\n",
        "Write-Host \"$(Get-Date)\"\n",
        "Test-Path $a && exit 1\n",
        "Test-Path $a || exit 1\n",
        "$a = @'\nx\n'@\n",
    ] {
        assert!(items(bad).is_err(), "{bad}");
    }
    assert!(items("& $tool\n").is_ok());
}

#[test]
fn everything_is_closed() {
    check("if ($a {\n}\n", &["3..4 `(` is not closed"]);
    check("exit 0 }\n", &["7..8 `}` closes nothing"]);
    check("$a = (1]\n", &["7..8 `]` does not close `(`"]);
    check("$a = 'b\n", &["5..7 a string is not closed on its line"]);
    check("<# a\n", &["0..2 a comment is not closed"]);
    check("$a = 'ü'\n", &["6..8 `ü` is not printable ASCII"]);
    check("exit 0", &["6..6 the last line has no line end"]);
}

proptest! {
    #[test]
    fn printable_values_come_back_or_are_refused(value in "[ -~']{0,20}|(\\PC|['\u{2018}\u{2019}]){0,3}") {
        if let Ok(quoted) = ps_string(&value) {
            let read = items(&format!("Write-Host {quoted}\n")).unwrap();
            let inner = read[0].value.strip_prefix("Write-Host '").unwrap().strip_suffix('\'').unwrap();
            prop_assert_eq!(inner.replace("''", "'"), value.as_str());
            prop_assert_eq!(read.len(), 1);
        } else {
            prop_assert!(!value.is_ascii());
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "(\\PC|[\\n'\"`$(){}\\[\\]@#<>&|.;=]){0,40}") {
        let _read = items(&text);
    }
}
