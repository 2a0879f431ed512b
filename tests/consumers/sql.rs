//! SQL scripts: what every statement does to zero, one and two matching rows, in SQLite behind a small interpreter of the
//! flow around the statements; and whether sqlfluff can parse them. There is no SQL Server for a test.

use cbgen::formats::Format;
use serde_json::{Value, json};

use super::{expect_all, of_format};
use crate::harness::root;
use crate::support::program::{finish, folder, program, write};
use crate::support::subject::{Subject, Verdict};

/// The row of a web service, before and after.
const OLD_ACD: &str = "http://server/VHACDConfigWS/VHACDConfigWS.asmx";
const OLD_SYS: &str = "https://SERVER:8443/VHSysConfigWS/VHSysConfigWS.asmx";
const NEW_ACD: &str = "http://127.0.0.1/VHACDConfigWS/VHACDConfigWS.asmx";
const NEW_SYS: &str = "http://127.0.0.1/VHSysConfigWS/VHSysConfigWS.asmx";
const OTHER: &str = "http://server/Other.asmx";

/// A state of the database, and what the scripts make of it.
struct Case {
    what: &'static str,
    before: Vec<&'static str>,
    /// The error of each script; 0 is success.
    ends: Vec<u32>,
    after: Vec<String>,
}

fn case(what: &'static str, before: &[&'static str], ends: &[u32], after: &[&str]) -> Case {
    Case {
        what,
        before: before.to_vec(),
        ends: ends.to_vec(),
        after: after.iter().map(|text| (*text).to_owned()).collect(),
    }
}

/// Runs scripts over a table of one value a row; gives the errors and the values.
fn meaning(
    table: &str,
    columns: &[&str],
    rows: &[Value],
    scripts: &[&[u8]],
) -> Result<(Vec<u32>, Vec<Value>), String> {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    let tables =
        json!({ table: {"columns": columns, "rows": rows}, "$": {"CALLBACK_REPORT_PASSWORD": "s3cret"} });
    write(&path("tables.json"), tables.to_string());
    let mut python = program("python3");
    python
        .arg(root().join("tests/fixtures/sql/meaning.py"))
        .arg(path("tables.json"));
    for (index, script) in scripts.iter().enumerate() {
        let name = path(&format!("{index}.sql"));
        write(&name, script);
        python.arg(name);
    }
    let ran = finish(python.env("PYTHONDONTWRITEBYTECODE", "1"));
    let result: Value = serde_json::from_str(&ran.stdout)
        .map_err(|_| ran.stderr.lines().last().unwrap_or_default().to_owned())?;
    let ends = result["ends"].as_array().expect("a list").iter();
    let ends = ends
        .map(|end| u32::try_from(end.as_u64().unwrap_or(0)).expect("small"))
        .collect();
    Ok((ends, result["tables"][table].as_array().expect("a list").clone()))
}

/// The scripts to run: this one, or the one it undoes and then this one.
fn scripts(subject: &Subject) -> Result<(Vec<u8>, Option<Vec<u8>>), String> {
    let own = subject.bytes()?;
    match subject.path.strip_suffix(".rollback.sql") {
        Some(start) => Ok((subject.built.deployed[&format!("{start}.sql")].clone(), Some(own))),
        None => Ok((own, None)),
    }
}

/// Exactly the two rows of the services change, whatever else is there; anything unexpected changes nothing.
fn web_services(subject: &Subject) -> Verdict {
    let (apply, rollback) = scripts(subject)?;
    let both = &[OTHER, OLD_SYS, OLD_ACD][..];
    let cases = match &rollback {
        None => vec![
            case("one row each", both, &[0], &[OTHER, NEW_SYS, NEW_ACD]),
            case("twice", both, &[0, 0], &[OTHER, NEW_SYS, NEW_ACD]),
            case("already there", &[NEW_ACD, NEW_SYS], &[0], &[NEW_ACD, NEW_SYS]),
            case(
                "one of them there",
                &[NEW_ACD, OLD_SYS],
                &[0],
                &[NEW_ACD, NEW_SYS],
            ),
            case("no row", &[OTHER], &[50010], &[OTHER]),
            case("the second is missing", &[OLD_ACD], &[50010], &[OLD_ACD]),
            case(
                "two rows",
                &[OLD_ACD, OLD_ACD, OLD_SYS],
                &[50010],
                &[OLD_ACD, OLD_ACD, OLD_SYS],
            ),
            case(
                "a new one beside an old one",
                &[NEW_ACD, OLD_ACD, OLD_SYS],
                &[50010],
                &[NEW_ACD, OLD_ACD, OLD_SYS],
            ),
        ],
        Some(_) => vec![
            case("there and back", both, &[0, 0], both),
            case(
                "nothing to undo",
                &[NEW_ACD, NEW_SYS],
                &[0, 0],
                &[NEW_ACD, NEW_SYS],
            ),
        ],
    };
    for Case {
        what,
        before,
        ends,
        after,
    } in cases
    {
        let rows: Vec<Value> = before
            .iter()
            .enumerate()
            .map(|(id, path)| json!([id, path]))
            .collect();
        let mut run: Vec<&[u8]> = vec![&apply[..]; ends.len()];
        if let Some(rollback) = &rollback {
            run[1] = rollback;
        }
        let (found_ends, found) = meaning("dbo.WSConfiguration", &["Id", "WSPath"], &rows, &run)?;
        let found: Vec<&str> = found
            .iter()
            .map(|row| row[1].as_str().unwrap_or("NULL"))
            .collect();
        if found_ends != ends || found != after {
            return Err(format!(
                "{what}: {found_ends:?} {found:?}, not {ends:?} {after:?}"
            ));
        }
    }
    let wrong = meaning(
        "dbo.WSConfiguration",
        &["Id", "Path"],
        &[json!([1, OLD_ACD])],
        &[&apply],
    )?;
    if wrong.0 == [50001] {
        Ok(())
    } else {
        Err(format!("another name of the column: {:?}", wrong.0))
    }
}

/// Only the named parts of the stored connection string change.
fn connection(subject: &Subject) -> Verdict {
    let (apply, rollback) = scripts(subject)?;
    let plant = subject.built.name == "plant";
    let windows = "Provider=SQLOLEDB;Data Source=SQL01;Initial Catalog=VHT_RPT;Integrated Security=SSPI";
    let login = "Provider=SQLOLEDB;Data Source=SQL01;Initial Catalog=VHT_RPT;persist security info=False;User ID=sa;Password=old;";
    let upper = "PROVIDER=x;data source=SQL01;UID=a;pwd=b;INTEGRATED SECURITY=SSPI";
    let (from_windows, from_login, from_upper) = if plant {
        (
            "Provider=MSOLEDBSQL;Data Source=SQL01;Initial Catalog=VHT_RPT;User ID=callback_report;Password=s3cret;Use Encryption for Data=True",
            "Provider=MSOLEDBSQL;Data Source=SQL01;Initial Catalog=VHT_RPT;persist security info=False;User ID=callback_report;Password=s3cret;Use Encryption for Data=True",
            "Provider=MSOLEDBSQL;data source=SQL01;User ID=callback_report;Password=s3cret;Use Encryption for Data=True",
        )
    } else {
        (
            "Provider=SQLNCLI11;Data Source=SQL01;Initial Catalog=VHT_RPT;Integrated Security=SSPI",
            "Provider=SQLNCLI11;Data Source=SQL01;Initial Catalog=VHT_RPT;persist security info=False;Integrated Security=SSPI",
            "Provider=SQLNCLI11;data source=SQL01;Integrated Security=SSPI",
        )
    };
    let quoted = "Provider=SQLOLEDB;Password=\"a;b\"";
    let odbc = "Driver={SQL Server};Server=SQL01";
    let doubled = "Provider=a;Data Source=b;Provider=c";
    let cases = match &rollback {
        None => vec![
            case("Windows login", &[windows], &[0], &[from_windows]),
            case("SQL login", &[login], &[0], &[from_login]),
            case("twice", &[login], &[0, 0], &[from_login]),
            case("other case and order", &[upper], &[0], &[from_upper]),
            case("no row", &[], &[50010], &[]),
            case("two rows", &[windows, windows], &[50010], &[windows, windows]),
            case("quotes", &[quoted], &[50020], &[quoted]),
            case("ODBC", &[odbc], &[50020], &[odbc]),
            case("no provider", &["Data Source=b"], &[50021], &["Data Source=b"]),
            case("a part twice", &[doubled], &[50022], &[doubled]),
        ],
        Some(_) => vec![case("there and back", &[login], &[0, 0], &[login])],
    };
    for Case {
        what,
        before,
        ends,
        after,
    } in cases
    {
        let mut rows: Vec<Value> = before
            .iter()
            .map(|text| json!(["ReportDBConnectionString", text]))
            .collect();
        rows.push(json!(["Other", windows]));
        let mut run: Vec<&[u8]> = vec![&apply[..]; ends.len()];
        if let Some(rollback) = &rollback {
            run[1] = rollback;
        }
        let (found_ends, mut found) = meaning("dbo.ApplicationSettings", &["Name", "Value"], &rows, &run)?;
        let other = found.pop();
        let found: Vec<&str> = found
            .iter()
            .map(|row| row[1].as_str().unwrap_or("NULL"))
            .collect();
        if found_ends != ends || found != after || other != Some(json!(["Other", windows])) {
            return Err(format!(
                "{what}: {found_ends:?} {found:?}, not {ends:?} {after:?}; another row: {other:?}"
            ));
        }
    }
    Ok(())
}

/// What a script does to every state of the database.
pub(crate) fn rows(subject: &Subject) -> Verdict {
    if subject.path.contains("/ws-configuration.") {
        web_services(subject)
    } else {
        connection(subject)
    }
}

/// sqlfluff parses the script once the lines of sqlcmd are gone. It accepts much that SQL Server refuses.
pub(crate) fn grammar(subject: &Subject) -> Verdict {
    let sqlfluff = root().join("target/python/bin/sqlfluff");
    assert!(
        sqlfluff.is_file(),
        "sqlfluff is missing, tests/run installs it into target/python"
    );
    let lines: Vec<&str> = subject
        .text
        .lines()
        .filter(|line| !line.starts_with(':'))
        .collect();
    let folder = folder();
    let file = folder.path().join("subject.sql");
    write(&file, lines.join("\n").replace("$(", "(") + "\n");
    let mut parser = program(&sqlfluff.display().to_string());
    parser
        .args(["parse", "--dialect", "tsql"])
        .arg(&file)
        .env("HOME", folder.path());
    let ran = finish(
        parser
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .current_dir(folder.path()),
    );
    if ran.code == 0 && !ran.stdout.contains("unparsable") {
        Ok(())
    } else {
        let lines = ran.stdout.lines().filter(|line| line.contains("unparsable"));
        Err(lines.collect::<Vec<_>>().join("\n") + &ran.stderr)
    }
}

#[test]
fn scripts_change_exactly_one_row_or_nothing() {
    expect_all(&of_format(Format::Sql), rows);
}

#[test]
fn sqlfluff_parses_every_script() {
    expect_all(&of_format(Format::Sql), grammar);
}
