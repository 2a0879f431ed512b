//! What the SQL reader and quoting accept and refuse.

use super::*;
use crate::told::told;
use proptest::prelude::*;

const PATHS_APPLY: &str = include_str!("../../../tests/fixtures/sql/web_service_paths.apply.sql");
const PATHS_ROLLBACK: &str = include_str!("../../../tests/fixtures/sql/web_service_paths.rollback.sql");
const CONNECTION_WINDOWS: &str =
    include_str!("../../../tests/fixtures/sql/report_connection_windows.apply.sql");
const CONNECTION_SQL: &str = include_str!("../../../tests/fixtures/sql/report_connection_sql.apply.sql");
const CONNECTION_ROLLBACK: &str = include_str!("../../../tests/fixtures/sql/report_connection.rollback.sql");

const ALL: [&str; 5] = [
    PATHS_APPLY,
    PATHS_ROLLBACK,
    CONNECTION_WINDOWS,
    CONNECTION_SQL,
    CONNECTION_ROLLBACK,
];

/// A script around the statements of its transaction.
fn script(body: &str) -> String {
    format!(
        ":on error exit\nSET QUOTED_IDENTIFIER ON;\nSET XACT_ABORT ON;\nBEGIN TRY\nBEGIN TRAN;\n{body}\nCOMMIT;\nEND TRY\n\
         BEGIN CATCH\nIF XACT_STATE() <> 0 ROLLBACK;\nTHROW;\nEND CATCH\nGO\n"
    )
}

fn errors(text: &str) -> Vec<String> {
    match items(text) {
        Ok(_) => Vec::new(),
        Err(errors) => errors
            .into_iter()
            .map(|error| format!("{} @ {}", error.message, text.get(error.range).unwrap()))
            .collect(),
    }
}

fn check(text: &str, expected: &[&str]) {
    assert_eq!(errors(text), expected, "{text}");
}

#[test]
fn the_reviewed_scripts_are_accepted() {
    for text in ALL {
        check(text, &[]);
    }
}

#[test]
fn items_are_statements_in_order() {
    let read = items(&script(
        "-- c\nUPDATE [dbo].[T] SET [a] = N'x'\n  WHERE [b] = 1;\nSET @n = @@ROWCOUNT;\nIF @n <> 1 BEGIN THROW 50001, N'x', 1; END",
    ));
    assert_eq!(
        told(read),
        [
            "sqlcmd > on error = :on error exit",
            "batch 1 > 01 SET QUOTED_IDENTIFIER = SET QUOTED_IDENTIFIER ON",
            "batch 1 > 02 SET XACT_ABORT = SET XACT_ABORT ON",
            "batch 1 > 03 TRY > 01 BEGIN TRAN = BEGIN TRAN",
            "batch 1 > 03 TRY > 02 UPDATE [dbo].[T] = UPDATE [dbo] . [T] SET [a] = N'x' WHERE [b] = 1",
            "batch 1 > 03 TRY > 03 SET @n = SET @n = @@ROWCOUNT",
            "batch 1 > 03 TRY > 04 IF = IF @n <> 1",
            "batch 1 > 03 TRY > 04 IF > 01 THROW = THROW 50001 , N'x' , 1",
            "batch 1 > 03 TRY > 05 COMMIT = COMMIT",
            "batch 1 > 03 CATCH > 01 IF = IF XACT_STATE ( ) <> 0",
            "batch 1 > 03 CATCH > 01 IF > 01 ROLLBACK = ROLLBACK",
            "batch 1 > 03 CATCH > 02 THROW = THROW",
        ]
    );
}

#[test]
fn layout_and_comments_do_not_matter() {
    let values = |text: &str| -> Vec<(String, String)> {
        items(text)
            .unwrap()
            .into_iter()
            .map(|item| (item.path.to_string(), item.value))
            .collect()
    };
    let dense: Vec<&str> = PATHS_APPLY
        .lines()
        .map(str::trim_start)
        .filter(|line| !line.starts_with("--") && !line.is_empty())
        .collect();
    assert_eq!(values(PATHS_APPLY), values(&(dense.join("\n") + "\n")));
}

/// Each line breaks a reviewed script in one place.
#[test]
fn a_broken_reviewed_script_is_refused() {
    for (from, to) in [
        (":on error exit\n", ""),
        (":on error exit\n", "SET NOCOUNT ON;\n:on error exit\n"),
        ("SET QUOTED_IDENTIFIER ON;\n", ""),
        ("SET XACT_ABORT ON;\n", ""),
        ("SET XACT_ABORT ON;\n", "SET XACT_ABORT OFF;\n"),
        ("    BEGIN TRANSACTION;\n", ""),
        ("    COMMIT TRANSACTION;\n", ""),
        ("    IF XACT_STATE() <> 0\n        ROLLBACK TRANSACTION;\n", ""),
        ("    THROW;\nEND CATCH", "END CATCH"),
        ("END CATCH\n", "END\n"),
        ("GO\nDECLARE", "GO;\nDECLARE"),
        ("        SET @changed = @@ROWCOUNT;\n", ""),
        (
            " WHERE [WSPath] LIKE N'%/VHACDConfigWS.asmx' AND [WSPath] = @old",
            "",
        ),
        ("WHERE [WSPath] LIKE", "WHEER [WSPath] LIKE"),
        (
            "        SET @changed = @@ROWCOUNT;\n",
            "        SET @changed = @@ROWCOUNT\n",
        ),
        ("N'VHACDConfigWS', @old", "N'VHACDConfigWS, @old"),
        ("N'acme-prod 2026.12.1'", "N'$(RUN)'"),
        (
            "    COMMIT TRANSACTION;\n",
            "    EXEC xp_cmdshell N'dir';\n    COMMIT TRANSACTION;\n",
        ),
        ("    COMMIT TRANSACTION;\n", "GO\n    COMMIT TRANSACTION;\n"),
        ("(SQL-2)", "(SQL-2) Password=abc"),
    ] {
        let broken = PATHS_APPLY.replace(from, to);
        assert_ne!(broken, PATHS_APPLY, "{from}");
        assert!(items(&broken).is_err(), "{from} -> {to}");
    }
}

#[test]
fn changes_belong_into_one_checked_transaction() {
    let update = "UPDATE [t] SET [a] = 1 WHERE [b] = 2;\nSET @n = @@ROWCOUNT;";
    check(&script(update), &[]);
    check(
        &format!(":on error exit\nSET QUOTED_IDENTIFIER ON;\n{update}\n"),
        &["a change must stand in the transaction @ UPDATE [t] SET [a] = 1 WHERE [b] = 2"],
    );
    check(
        &script("UPDATE [t] SET [a] = 1;"),
        &[
            "without `WHERE` every row would be changed @ UPDATE [t] SET [a] = 1",
            "an `UPDATE` must be followed by `SET @… = @@ROWCOUNT;`, because any other statement resets it @ UPDATE [t] SET [a] = 1",
        ],
    );
    check(
        &script("DELETE FROM [t];"),
        &["without `WHERE` every row would be changed @ DELETE FROM [t]"],
    );
    // `WHERE` of a subquery is not the statement's own.
    check(
        &script("DELETE FROM [t] OUTPUT (SELECT 1 FROM [u] WHERE [a] = 1);")
            .replace(" OUTPUT (", " WHERE [b] IN ("),
        &[],
    );
    check(
        &script("BEGIN TRAN;\nCOMMIT;"),
        &[
            "the script has more than one transaction @ BEGIN TRAN",
            "`BEGIN TRANSACTION` must stand directly in `BEGIN TRY`, so that every error reaches `CATCH` @ BEGIN TRAN",
            "`COMMIT` must stand in the same list of statements as `BEGIN TRANSACTION` @ COMMIT",
        ],
    );
    check(
        &script("SELECT [a] INTO [t] FROM [u];"),
        &["`SELECT … INTO` creates a table; use `CREATE TABLE` and `INSERT` @ SELECT [a] INTO [t] FROM [u]"],
    );
    check(
        &script("DROP TABLE [t];"),
        &["`DROP` does not start a statement that is allowed here @ DROP TABLE [t]"],
    );
    check(
        &script("ROLLBACK;"),
        &["`ROLLBACK` belongs to `CATCH`; use `THROW` to stop @ ROLLBACK"],
    );
}

#[test]
fn sqlcmd_variables_are_declared_and_passwords_are_not_written() {
    let declared = CONNECTION_SQL;
    check(declared, &[]);
    assert!(items(&declared.replace("-- sqlcmd variable", "-- variable")).is_err());
    assert!(items(&declared.replace("N'$(CALLBACK_REPORT_PASSWORD)'", "N'Pass123'")).is_err());
    let written = "a password is written down here; only a sqlcmd variable may hold one";
    for bad in [
        "SET @a = N'x;Password=Pass123';",
        "SET @a = N'PWD = x';",
        "SET @a = N'Password=' + N'Pass123';",
        "DECLARE @password nvarchar(9) = N'Pass123';",
        "SET @secret = N'x';",
    ] {
        let found = errors(&script(bad));
        assert!(
            found.len() == 1 && found[0].starts_with(written),
            "{bad} {found:?}"
        );
    }
    check(&script("SET @a = N'Password=' + @b + N';x';"), &[]);
    check(&script("SET @a = CHARINDEX(N';Password=', @b);"), &[]);
    check(
        &script("PRINT N'x';").replace("SET XACT", "-- sqlcmd variable A: x\nSET XACT"),
        &[
            "a sqlcmd variable is declared above the first statement, as `-- sqlcmd variable NAME: meaning` @ -- sqlcmd variable A: x",
        ],
    );
    check(
        &format!("-- sqlcmd variable A: x\n{}", script("PRINT N'x';")),
        &["the sqlcmd variable `A` is declared and never used @ -- sqlcmd variable A: x"],
    );
}

#[test]
fn sqlcmd_lines_are_few() {
    for bad in [
        ":r other.sql",
        ":!!dir",
        ":out x",
        ":setvar a \"b\"",
        ":setvar A b",
        ":on error ignore",
        ":connect x",
    ] {
        assert_eq!(
            errors(&script("PRINT N'x';").replace("SET XACT", &format!("{bad}\nSET XACT"))).len(),
            1,
            "{bad}"
        );
    }
    check(
        &script("PRINT N'x';").replace("SET XACT", ":setvar A \"b\"\nSET XACT"),
        &[],
    );
}

#[test]
fn what_sqlparser_cannot_read_is_refused() {
    for bad in [
        "SELECT FROM WHERE;",
        "INSERT INTO [t] VALUES 1, 2;",
        "IF @a = = 1 THROW;",
        "UPDATE [t] [a] = 1 WHERE [b] = 1; SET @n = @@ROWCOUNT;",
    ] {
        let found = errors(&script(bad));
        assert!(
            found.iter().any(|error| error.starts_with("not T-SQL: ")),
            "{bad} {found:?}"
        );
    }
}

#[test]
fn hostile_nesting_costs_little() {
    let open = "(".repeat(100_000);
    assert!(items(&script(&format!("SET @a = {open};"))).is_err());
    for depth in [20, script::DEEPEST] {
        let nested = format!("SET @a = {}1{};", "(".repeat(depth), ")".repeat(depth));
        let _read = items(&script(&nested));
    }
    let _read = items(&"''".repeat(100_000));
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "(\\PC|[\n'\\[\\]();@$-]|SET|IF|BEGIN|END|TRY|CATCH| |GO\n){0,40}") {
        let _read = items(&text);
    }
}
