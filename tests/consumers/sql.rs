//! SQL scripts: what every statement does to zero, one and two matching rows, in SQLite behind a small interpreter of the
//! flow around the statements; and whether sqlfluff can parse them. There is no SQL Server for a test.

use cbgen::formats::Format;
use serde_json::{Value, json};

use super::{expect_all, of_format};
use crate::harness::root;
use crate::support::program::{finish, folder, program, succeed, write};
use crate::support::subject::{Subject, Verdict, read_back};

/// The row of a web service, before and after.
const OLD_ACD: &str = "http://server/VHACDConfigWS/VHACDConfigWS.asmx";
const OLD_SYS: &str = "https://SERVER:8443/VHSysConfigWS/VHSysConfigWS.asmx";
const NEW_ACD: &str = "http://127.0.0.1/VHACDConfigWS/VHACDConfigWS.asmx";
const NEW_SYS: &str = "http://127.0.0.1/VHSysConfigWS/VHSysConfigWS.asmx";
const OTHER: &str = "http://server/Other.asmx";

/// What is done in a case beside SQL of somebody else, which is a step of its own.
const APPLY: &str = "apply";
const UNDO: &str = "undo";

/// A state of the database, what happens to it, and what comes of it.
struct Case {
    what: &'static str,
    before: Vec<String>,
    steps: Vec<String>,
    /// The error of each script; 0 is success.
    ends: Vec<u32>,
    after: Vec<String>,
    /// Values that are kept for the way back.
    captured: usize,
    secret: &'static str,
}

fn case(
    what: &'static str,
    before: &[&str],
    steps: &[&str],
    ends: &[u32],
    after: &[&str],
    captured: usize,
) -> Case {
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    Case {
        what,
        before: owned(before),
        steps: owned(steps),
        ends: ends.to_vec(),
        after: owned(after),
        captured,
        secret: "s3cret",
    }
}

/// The table a script changes. Its rows are a name or number, and the value.
struct Table {
    name: &'static str,
    columns: [&'static str; 2],
    /// The first column of the row with this index.
    key: fn(usize) -> Value,
    /// A row that is none of the business of the script.
    neighbour: Option<Value>,
}

/// Runs every case and says which comes out in another way. All cases are one run of Python.
fn judge(subject: &Subject, table: &Table, cases: &[Case]) -> Verdict {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    let (apply, undo) = scripts(subject)?;
    write(&path(APPLY), apply);
    write(&path(UNDO), undo.unwrap_or_default());
    let rows = |values: &[String]| {
        let rows = values
            .iter()
            .enumerate()
            .map(|(index, value)| json!([(table.key)(index), value]));
        rows.chain(table.neighbour.clone()).collect::<Vec<Value>>()
    };
    let step = |step: &String| {
        if [APPLY, UNDO].contains(&step.as_str()) {
            json!({"script": path(step)})
        } else {
            json!({ "sql": step })
        }
    };
    let job = cases.iter().map(|case| {
        json!({
            "tables": {table.name: {"columns": table.columns, "rows": rows(&case.before)}},
            "variables": {"CALLBACK_REPORT_PASSWORD": case.secret},
            "steps": case.steps.iter().map(step).collect::<Vec<_>>(),
        })
    });
    write(&path("cases.json"), job.collect::<Value>().to_string());
    let mut python = program("python3");
    python
        .arg(root().join("tests/fixtures/sql/meaning.py"))
        .arg(path("cases.json"))
        .env("PYTHONDONTWRITEBYTECODE", "1");
    let found: Vec<Value> = serde_json::from_str(&succeed(&mut python)).expect("a result for each case");
    assert_eq!(found.len(), cases.len(), "a result for each case");
    for (case, found) in cases.iter().zip(found) {
        let ends: Vec<Value> = case
            .ends
            .iter()
            .map(|end| if *end == 0 { Value::Null } else { json!(end) })
            .collect();
        // Which row is which does not matter when one was deleted or added.
        let values = |rows: &Value| -> Vec<Value> {
            let rows = rows.as_array().expect("a list");
            rows.iter().map(|row| row[1].clone()).collect()
        };
        let wanted = (
            json!(ends),
            values(&json!(rows(&case.after))),
            json!(case.captured),
        );
        let found = (
            found["ends"].clone(),
            values(&found["tables"][table.name]),
            found["captured"].clone(),
        );
        if found != wanted {
            return Err(format!("{}: {found:?}, not {wanted:?}", case.what));
        }
    }
    Ok(())
}

/// The scripts to run: this one, or the one it undoes and then this one.
fn scripts(subject: &Subject) -> Result<(Vec<u8>, Option<Vec<u8>>), String> {
    let own = subject.bytes()?;
    if let Some(folder) = subject.path.strip_suffix("purge-captured.sql") {
        let apply = subject.built.deployed[&format!("{folder}ws-configuration.sql")].clone();
        return Ok((apply, Some(own)));
    }
    match subject.path.strip_suffix(".rollback.sql") {
        Some(start) => Ok((subject.built.deployed[&format!("{start}.sql")].clone(), Some(own))),
        None => Ok((own, None)),
    }
}

/// A table of the same name that belongs to somebody else.
const FOREIGN: &str = "CREATE TABLE \"dbo.cbgen_captured\" (x);";

/// Exactly the two rows of the services change, whatever else is there; anything unexpected changes nothing.
fn web_services(subject: &Subject) -> Verdict {
    let table = Table {
        name: "dbo.WSConfiguration",
        columns: ["Id", "WSPath"],
        key: |index| json!(index),
        neighbour: None,
    };
    let set = |id: u32, path: &str| {
        format!("UPDATE \"dbo.WSConfiguration\" SET WSPath = '{path}' WHERE Id = {id};")
    };
    let add = |path: &str| format!("INSERT INTO \"dbo.WSConfiguration\" VALUES (9, '{path}');");
    let remove = |id: u32| format!("DELETE FROM \"dbo.WSConfiguration\" WHERE Id = {id};");
    // An INSTEAD OF trigger that does nothing: the statement succeeds and changes no row.
    let hold = |id: u32| {
        format!(
            "CREATE TRIGGER held BEFORE UPDATE ON \"dbo.WSConfiguration\" WHEN old.Id = {id} \
             BEGIN SELECT RAISE(IGNORE); END;"
        )
    };
    // Equal for `=`, which does not see blanks at the end, and no match for LIKE, which does.
    let blank = |path: &str| format!("{path} ");
    let (third_acd, third_sys) = (
        "http://third/VHACDConfigWS.asmx",
        "http://third/VHSysConfigWS.asmx",
    );
    let both = &[OTHER, OLD_SYS, OLD_ACD][..];
    let done = &[OTHER, NEW_SYS, NEW_ACD][..];
    let mut cases = if subject.path.ends_with(".rollback.sql") {
        vec![
            case("there and back", both, &[APPLY, UNDO], &[0, 0], both, 0),
            case("back twice", both, &[APPLY, UNDO, UNDO], &[0, 0, 0], both, 0),
            case("there again", both, &[APPLY, UNDO, APPLY], &[0, 0, 0], done, 2),
            case("never applied", both, &[UNDO], &[0], both, 0),
            case("nothing to undo", done, &[APPLY, UNDO], &[0, 0], done, 0),
            case(
                "put back by hand",
                both,
                &[APPLY, &set(2, OLD_ACD), UNDO],
                &[0, 0],
                both,
                0,
            ),
            case(
                "the first was changed",
                both,
                &[APPLY, &set(2, third_acd), UNDO],
                &[0, 50013],
                &[OTHER, NEW_SYS, third_acd],
                2,
            ),
            case(
                "the second was changed",
                both,
                &[APPLY, &set(1, third_sys), UNDO],
                &[0, 50013],
                &[OTHER, third_sys, NEW_ACD],
                2,
            ),
            case(
                "changed in case",
                both,
                &[APPLY, &set(2, &NEW_ACD.to_uppercase()), UNDO],
                &[0, 50013],
                &[OTHER, NEW_SYS, &NEW_ACD.to_uppercase()],
                2,
            ),
            case(
                "the first is gone",
                both,
                &[APPLY, &remove(2), UNDO],
                &[0, 50010],
                &[OTHER, NEW_SYS],
                2,
            ),
            case(
                "the second is gone",
                both,
                &[APPLY, &remove(1), UNDO],
                &[0, 50010],
                &[OTHER, NEW_ACD],
                2,
            ),
            case(
                "the first is there twice",
                both,
                &[APPLY, &add(NEW_ACD), UNDO],
                &[0, 50010],
                &[OTHER, NEW_SYS, NEW_ACD, NEW_ACD],
                2,
            ),
            case(
                "the second is there twice",
                both,
                &[APPLY, &add(NEW_SYS), UNDO],
                &[0, 50010],
                &[OTHER, NEW_SYS, NEW_ACD, NEW_SYS],
                2,
            ),
            case(
                "the first is held",
                both,
                &[APPLY, &hold(2), UNDO],
                &[0, 50012],
                done,
                2,
            ),
            case(
                "the second is held",
                both,
                &[APPLY, &hold(1), UNDO],
                &[0, 50012],
                done,
                2,
            ),
            case(
                "equal but for a blank",
                both,
                &[APPLY, &add(&blank(NEW_ACD)), &add(&blank(NEW_SYS)), UNDO],
                &[0, 0],
                &[OTHER, OLD_SYS, OLD_ACD, &blank(NEW_ACD), &blank(NEW_SYS)],
                0,
            ),
            case(
                "a table of somebody else",
                both,
                &[FOREIGN, UNDO],
                &[50002],
                both,
                0,
            ),
        ]
    } else {
        let twice = &[OLD_ACD, OLD_ACD, OLD_SYS][..];
        let beside = &[NEW_ACD, OLD_ACD, OLD_SYS][..];
        vec![
            case("one row each", both, &[APPLY], &[0], done, 2),
            case("twice", both, &[APPLY, APPLY], &[0, 0], done, 2),
            case("already there", done, &[APPLY], &[0], done, 0),
            case(
                "one of them there",
                &[NEW_ACD, OLD_SYS],
                &[APPLY],
                &[0],
                &[NEW_ACD, NEW_SYS],
                1,
            ),
            case(
                "there in another case",
                &[&NEW_ACD.to_uppercase(), OLD_SYS],
                &[APPLY],
                &[0],
                &[NEW_ACD, NEW_SYS],
                2,
            ),
            case("no row", &[OTHER], &[APPLY], &[50010], &[OTHER], 0),
            case(
                "the second is missing",
                &[OLD_ACD],
                &[APPLY],
                &[50010],
                &[OLD_ACD],
                0,
            ),
            case("two rows", twice, &[APPLY], &[50010], twice, 0),
            case(
                "a new one beside an old one",
                beside,
                &[APPLY],
                &[50010],
                beside,
                0,
            ),
            case(
                "the first was changed",
                both,
                &[APPLY, &set(2, OLD_ACD), APPLY],
                &[0, 50011],
                &[OTHER, NEW_SYS, OLD_ACD],
                2,
            ),
            case(
                "the second was changed",
                both,
                &[APPLY, &set(1, OLD_SYS), APPLY],
                &[0, 50011],
                &[OTHER, OLD_SYS, NEW_ACD],
                2,
            ),
            case("the first is held", both, &[&hold(2), APPLY], &[50012], both, 0),
            case("the second is held", both, &[&hold(1), APPLY], &[50012], both, 0),
            case(
                "equal but for a blank",
                both,
                &[&add(&blank(OLD_ACD)), &add(&blank(OLD_SYS)), APPLY],
                &[0],
                &[OTHER, NEW_SYS, NEW_ACD, &blank(OLD_ACD), &blank(OLD_SYS)],
                2,
            ),
            case(
                "a table of somebody else",
                both,
                &[FOREIGN, APPLY],
                &[50002],
                both,
                0,
            ),
        ]
    };
    judge(subject, &table, &cases)?;
    let own = if subject.path.ends_with(".rollback.sql") {
        UNDO
    } else {
        APPLY
    };
    cases = vec![case(
        "another name of the column",
        both,
        &[own],
        &[50001],
        both,
        0,
    )];
    let columns = ["Id", "Path"];
    judge(subject, &Table { columns, ..table }, &cases)
}

/// Only the named parts of the stored connection string change.
fn connection(subject: &Subject) -> Verdict {
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
    let table = Table {
        name: "dbo.ApplicationSettings",
        columns: ["Name", "Value"],
        key: |_| json!("ReportDBConnectionString"),
        neighbour: Some(json!(["Other", windows])),
    };
    let whose = "WHERE Name = 'ReportDBConnectionString'";
    let set = |value: &str| format!("UPDATE \"dbo.ApplicationSettings\" SET Value = '{value}' {whose};");
    let remove = format!("DELETE FROM \"dbo.ApplicationSettings\" {whose};");
    // The neighbour with the written value: a predicate without the name would change it too.
    let neighbour =
        format!("UPDATE \"dbo.ApplicationSettings\" SET Value = '{from_login}' WHERE Name = 'Other';");
    let neighbour_back = format!(
        "UPDATE \"dbo.ApplicationSettings\" SET Value = '{windows}' WHERE Name = 'Other' AND Value = '{from_login}';"
    );
    let double = format!(
        "INSERT INTO \"dbo.ApplicationSettings\" SELECT * FROM \"dbo.ApplicationSettings\" {whose}; \
                          DELETE FROM \"dbo.ApplicationSettings\" WHERE Name = 'Other'; \
                          INSERT INTO \"dbo.ApplicationSettings\" VALUES ('Other', '{windows}');"
    );
    let hold =
        "CREATE TRIGGER held BEFORE UPDATE ON \"dbo.ApplicationSettings\" BEGIN SELECT RAISE(IGNORE); END;";
    let mut cases = if subject.path.ends_with(".rollback.sql") {
        vec![
            case("there and back", &[login], &[APPLY, UNDO], &[0, 0], &[login], 0),
            case(
                "back twice",
                &[login],
                &[APPLY, UNDO, UNDO],
                &[0, 0, 0],
                &[login],
                0,
            ),
            case(
                "there again",
                &[login],
                &[APPLY, UNDO, APPLY],
                &[0, 0, 0],
                &[from_login],
                1,
            ),
            case("never applied", &[login], &[UNDO], &[0], &[login], 0),
            case(
                "nothing to undo",
                &[from_login],
                &[APPLY, UNDO],
                &[0, 0],
                &[from_login],
                0,
            ),
            case(
                "put back by hand",
                &[login],
                &[APPLY, &set(login), UNDO],
                &[0, 0],
                &[login],
                0,
            ),
            case(
                "it was changed",
                &[login],
                &[APPLY, &set(upper), UNDO],
                &[0, 50013],
                &[upper],
                1,
            ),
            // What was noted for the way back holds no password of now, so this name has to be in vain.
            case(
                "no password is kept",
                &[login],
                &[
                    APPLY,
                    "DELETE FROM \"dbo.cbgen_captured\" WHERE written_value LIKE '%s3cret%';",
                    UNDO,
                ],
                &[0, 0],
                &[login],
                0,
            ),
            case(
                "it is gone",
                &[login],
                &[APPLY, &remove, UNDO],
                &[0, 50010],
                &[],
                1,
            ),
            case(
                "it is there twice",
                &[login],
                &[APPLY, &double, UNDO],
                &[0, 50010],
                &[from_login, from_login],
                1,
            ),
            case(
                "it is held",
                &[login],
                &[APPLY, hold, UNDO],
                &[0, 50012],
                &[from_login],
                1,
            ),
            case(
                "a neighbour with its value",
                &[login],
                &[APPLY, &neighbour, UNDO, &neighbour_back],
                &[0, 0],
                &[login],
                0,
            ),
            case(
                "a table of somebody else",
                &[login],
                &[FOREIGN, UNDO],
                &[50002],
                &[login],
                0,
            ),
        ]
    } else {
        let quoted = "Provider=SQLOLEDB;Password=\"a;b\"";
        let odbc = "Driver={SQL Server};Server=SQL01";
        let doubled = "Provider=a;Data Source=b;Provider=c";
        vec![
            case("Windows login", &[windows], &[APPLY], &[0], &[from_windows], 1),
            case("SQL login", &[login], &[APPLY], &[0], &[from_login], 1),
            case("twice", &[login], &[APPLY, APPLY], &[0, 0], &[from_login], 1),
            case("already there", &[from_login], &[APPLY], &[0], &[from_login], 0),
            case("other case and order", &[upper], &[APPLY], &[0], &[from_upper], 1),
            case("no row", &[], &[APPLY], &[50010], &[], 0),
            case(
                "two rows",
                &[windows, windows],
                &[APPLY],
                &[50010],
                &[windows, windows],
                0,
            ),
            case("quotes", &[quoted], &[APPLY], &[50020], &[quoted], 0),
            case("ODBC", &[odbc], &[APPLY], &[50020], &[odbc], 0),
            case(
                "no provider",
                &["Data Source=b"],
                &[APPLY],
                &[50021],
                &["Data Source=b"],
                0,
            ),
            case("a part twice", &[doubled], &[APPLY], &[50022], &[doubled], 0),
            case(
                "it was changed",
                &[login],
                &[APPLY, &set(windows), APPLY],
                &[0, 50011],
                &[windows],
                1,
            ),
            case("it is held", &[login], &[hold, APPLY], &[50012], &[login], 0),
            case(
                "a table of somebody else",
                &[login],
                &[FOREIGN, APPLY],
                &[50002],
                &[login],
                0,
            ),
        ]
    };
    if plant && !subject.path.ends_with(".rollback.sql") {
        for secret in ["", "a;b", "a\"b", "a{b", " a", "a ", "a\u{1}b"] {
            cases.push(Case {
                secret,
                ..case(
                    "a password that is refused",
                    &[login],
                    &[APPLY],
                    &[50023],
                    &[login],
                    0,
                )
            });
        }
    }
    judge(subject, &table, &cases)?;
    let own = if subject.path.ends_with(".rollback.sql") {
        UNDO
    } else {
        APPLY
    };
    for columns in [["Key", "Value"], ["Name", "Text"]] {
        let cases = [case(
            "another name of a column",
            &[login],
            &[own],
            &[50001],
            &[login],
            0,
        )];
        judge(
            subject,
            &Table {
                columns,
                neighbour: table.neighbour.clone(),
                ..table
            },
            &cases,
        )?;
    }
    Ok(())
}

/// What was saved is forgotten, and nothing else changes.
fn purge(subject: &Subject) -> Verdict {
    let table = Table {
        name: "dbo.WSConfiguration",
        columns: ["Id", "WSPath"],
        key: |index| json!(index),
        neighbour: None,
    };
    let (before, after) = (&[OTHER, OLD_SYS, OLD_ACD][..], &[OTHER, NEW_SYS, NEW_ACD][..]);
    let cases = [
        case("forgotten", before, &[APPLY, UNDO], &[0, 0], after, 0),
        case("twice", before, &[APPLY, UNDO, UNDO], &[0, 0, 0], after, 0),
        case("never applied", before, &[UNDO], &[0], before, 0),
        case(
            "a table of somebody else",
            before,
            &[FOREIGN, UNDO],
            &[50002],
            before,
            0,
        ),
    ];
    judge(subject, &table, &cases)
}

/// What a script does to every state of the database.
pub(crate) fn rows(subject: &Subject) -> Verdict {
    if subject.path.ends_with("/purge-captured.sql") {
        purge(subject)
    } else if subject.path.contains("/ws-configuration.") {
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
        // Its tree is long; what it could not read stands behind the tree or is marked in it.
        let bad = ["unparsable", "LXR", "PRS"];
        let lines = ran
            .stdout
            .lines()
            .filter(|line| bad.iter().any(|word| line.contains(word)));
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

/// Why sqlfluff is no judge alone: it parses what no SQL Server would run, and the reader of the format refuses that.
#[test]
fn sqlfluff_accepts_what_the_reader_refuses() {
    for (right, wrong) in [("END CATCH\n", "END\n"), ("\nGO\n", "\nGO;\n")] {
        let mut subject = Subject::new("prod", "deployment/sql/ws-configuration.sql");
        assert!(subject.text.contains(right), "{right}");
        subject.text = subject.text.replacen(right, wrong, 1);
        assert_eq!(grammar(&subject), Ok(()), "{wrong}");
        read_back(&subject).expect_err(wrong);
    }
}
