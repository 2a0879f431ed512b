//! One folder per diagnostic code: `tests/errors/CBxxxx_what/` holds `inventory.yaml`, perhaps further files, and in
//! `expected.txt` what `cbgen check inventory.yaml` prints in the short and in the human format.
//!
//! `command.txt` replaces the arguments. A folder `templates` is laid over the built-in ones. `tests/errors/base` is no
//! case: a case sees it as `base`.

use std::fmt::Write as _;
use std::fs;

use cbgen::codes;

use crate::harness::{Case, compare_text, expect_none, read_tree, root};

/// Codes that need an environment a folder cannot give, each with the test that produces it.
const ELSEWHERE: &[(&str, &str)] = &[
    ("CB0003", "too_large_files_are_refused_by_size_and_by_the_reader"),
    ("CB0017", "all_texts_of_an_inventory_have_one_bound"),
    ("CB0018", "long_values_are_refused_before_they_cost_time"),
    ("CB0215", "the_number_of_findings_is_bounded"),
    ("CB0702", "collisions_are_named"),
    ("CB0703", "a_text_outside_its_encoding_is_refused"),
    ("CB0704", "foreign_files_are_never_overwritten"),
    ("CB0705", "a_second_process_is_sent_away"),
    ("CB0706", "a_check_names_what_differs_and_writes_nothing"),
    ("CB0707", "stale_files_go_foreign_files_stay"),
    ("CB0710", "an_archive_of_another_bundle_is_kept"),
    ("CB0807", "a_check_says_that_templates_are_missing_now"),
    ("CB0711", "folders_with_names_of_ours_are_named_and_kept"),
    ("CB0712", "a_journal_that_can_never_complete_holds_nothing_up"),
    ("CB0952", "stale_files_and_wrong_lines_are_reported"),
    ("CB0708", "unreadable_sides_end_with_status_2"),
    ("CB0709", "unreadable_sides_end_with_status_2"),
    ("CB1007", "what_the_encoding_does_not_have_is_refused"),
    ("CB0905", "a_changed_file_is_named_and_compared_as_it_is"),
    ("CB1101", "every_tampered_bundle_is_refused_with_its_own_reason"),
    ("CB1102", "every_tampered_bundle_is_refused_with_its_own_reason"),
    ("CB1103", "every_tampered_bundle_is_refused_with_its_own_reason"),
    ("CB1104", "every_tampered_bundle_is_refused_with_its_own_reason"),
    ("CB1105", "every_tampered_bundle_is_refused_with_its_own_reason"),
    ("CB1106", "every_tampered_bundle_is_refused_with_its_own_reason"),
    ("CB1107", "every_tampered_bundle_is_refused_with_its_own_reason"),
    ("CB1108", "every_tampered_bundle_is_refused_with_its_own_reason"),
    ("CB1109", "every_tampered_bundle_is_refused_with_its_own_reason"),
    ("CB1110", "every_tampered_bundle_is_refused_with_its_own_reason"),
    ("CB1111", "every_tampered_bundle_is_refused_with_its_own_reason"),
    ("CB1112", "every_tampered_bundle_is_refused_with_its_own_reason"),
    ("CB1113", "every_tampered_bundle_is_refused_with_its_own_reason"),
    ("CB1114", "every_tampered_bundle_is_refused_with_its_own_reason"),
    ("CB1115", "every_tampered_bundle_is_refused_with_its_own_reason"),
    ("CB1116", "every_tampered_bundle_is_refused_with_its_own_reason"),
    ("CB1117", "every_tampered_bundle_is_refused_with_its_own_reason"),
    (
        "CB1118",
        "signing_changes_the_archive_as_a_whole_and_building_again_keeps_it",
    ),
    ("CB1120", "signatures_that_do_not_count_are_refused"),
    ("CB1121", "signatures_that_do_not_count_are_refused"),
    ("CB1122", "signatures_that_do_not_count_are_refused"),
    ("CB1123", "signatures_that_do_not_count_are_refused"),
    ("CB1124", "signatures_that_do_not_count_are_refused"),
    ("CB1126", "signatures_that_do_not_count_are_refused"),
    ("CB1127", "keys_that_cannot_sign_say_why_and_touch_nothing"),
    ("CB1128", "keys_that_cannot_sign_say_why_and_touch_nothing"),
    ("CB1129", "signatures_that_do_not_count_are_refused"),
    (
        "CB1130",
        "signing_changes_the_archive_as_a_whole_and_building_again_keeps_it",
    ),
    (
        "CB1131",
        "signing_changes_the_archive_as_a_whole_and_building_again_keeps_it",
    ),
    ("CB1201", "mistakes_at_the_command_line_are_named"),
    ("CB1202", "the_wrong_machine_is_refused"),
    ("CB1203", "mistakes_at_the_command_line_are_named"),
    ("CB1204", "the_wrong_machine_is_refused"),
    ("CB1205", "the_wrong_machine_is_refused"),
    ("CB1206", "mistakes_at_the_command_line_are_named"),
    ("CB1207", "plan_finds_tonight_what_step_37_would_find"),
    ("CB1210", "plan_finds_tonight_what_step_37_would_find"),
    ("CB1211", "plan_finds_tonight_what_step_37_would_find"),
    ("CB1212", "plan_finds_tonight_what_step_37_would_find"),
    ("CB1213", "plan_finds_tonight_what_step_37_would_find"),
    ("CB1214", "plan_finds_tonight_what_step_37_would_find"),
    ("CB1215", "plan_finds_tonight_what_step_37_would_find"),
    ("CB1216", "plan_finds_tonight_what_step_37_would_find"),
    ("CB1217", "plan_finds_tonight_what_step_37_would_find"),
    ("CB1218", "plan_finds_tonight_what_step_37_would_find"),
    ("CB1219", "plan_finds_tonight_what_step_37_would_find"),
    ("CB1220", "plan_finds_tonight_what_step_37_would_find"),
    ("CB1221", "the_wrong_machine_is_refused"),
    ("CB1230", "apply_refuses_before_anything_changes"),
    ("CB1231", "mistakes_at_the_command_line_are_named"),
    ("CB1240", "apply_refuses_before_anything_changes"),
    ("CB1241", "mistakes_at_the_command_line_are_named"),
    ("CB1242", "apply_refuses_before_anything_changes"),
    ("CB1243", "a_run_of_another_build_is_not_gone_on_with"),
    ("CB1250", "a_failing_script_is_told_with_its_log_and_taken_back"),
    ("CB1251", "apply_refuses_before_anything_changes"),
    ("CB1253", "apply_refuses_before_anything_changes"),
    (
        "CB1260",
        "a_run_that_stopped_for_a_person_loses_only_what_came_after",
    ),
    ("CB1222", "what_another_version_wrote_is_not_called_done"),
    ("CB1263", "a_lost_copy_is_found_before_anything_goes_back"),
    ("CB1261", "each_rollback_takes_back_the_run_before"),
    ("CB1262", "mistakes_at_the_command_line_are_named"),
    ("CB1270", "mistakes_at_the_command_line_are_named"),
];

/// Codes no input produces, each with the reason it exists all the same.
const UNREACHABLE: &[(&str, &str)] = &[(
    "CB0214",
    "reading typed data fails only when schema and types disagree, which is a fault of cbgen itself",
)];

#[test]
fn every_case_prints_what_it_expects() {
    let mut complaints = Vec::new();
    for case in Case::all("errors", &["base"]) {
        let name = case.name();
        let Some((code, _)) = name.split_once('_') else {
            complaints.push(format!("{name}: the folder name must be CBxxxx_what"));
            continue;
        };
        let command = fs::read_to_string(case.path("command.txt"));
        let command = command.unwrap_or_else(|_| "check inventory.yaml".to_owned());
        let mut arguments: Vec<&str> = command.split_whitespace().collect();
        if case.path("templates").is_dir() {
            arguments.extend(["--templates", "templates"]);
        }
        let mut found = String::new();
        for format in ["short", "human"] {
            let workspace = case.workspace();
            let mut arguments = arguments.clone();
            arguments.extend(["--message-format", format, "--color", "never"]);
            let ran = workspace.run(&arguments);
            let command = arguments.join(" ");
            write!(found, "$ cbgen {command}\n{}status {}\n", ran.stderr, ran.code).expect("a String");
            if format == "short" {
                found.push('\n');
            }
        }
        if !found.contains(&format!("[{code}]: ")) {
            complaints.push(format!("{name}: {code} is not printed:\n{found}"));
        } else if let Err(complaint) = compare_text(&case.path("expected.txt"), &found) {
            complaints.push(complaint);
        }
    }
    expect_none(&complaints);
}

#[test]
fn every_code_has_a_case() {
    let cases: Vec<String> = Case::all("errors", &["base"]).iter().map(Case::name).collect();
    let mut tests = String::new();
    let folders = [root().join("tests"), root().join("compiler")];
    for bytes in folders
        .iter()
        .flat_map(|folder| read_tree(folder))
        .filter(|(name, _)| name.ends_with(".rs"))
    {
        tests.push_str(&String::from_utf8_lossy(&bytes.1));
    }
    let mut complaints = Vec::new();
    for code in codes::ALL {
        let covered = cases
            .iter()
            .any(|name| name.starts_with(&format!("{}_", code.id())));
        let elsewhere = ELSEWHERE.iter().find(|(id, _)| *id == code.id());
        if UNREACHABLE
            .iter()
            .any(|(id, reason)| *id == code.id() && !reason.is_empty())
        {
            continue;
        }
        match (covered, elsewhere) {
            (true, None) => {}
            (false, Some((_, test))) if tests.contains(&format!("fn {test}()")) => {}
            (false, Some((_, test))) => complaints.push(format!("{}: there is no test `{test}`", code.id())),
            (true, Some(_)) => {
                complaints.push(format!("{} has a folder; remove it from ELSEWHERE", code.id()));
            }
            (false, None) => complaints.push(format!("{} ({}) has no folder", code.id(), code.title())),
        }
    }
    for name in &cases {
        let code = name.split('_').next().unwrap_or_default();
        if !codes::ALL.iter().any(|known| known.id() == code) {
            complaints.push(format!("tests/errors/{name}: there is no such code"));
        }
    }
    expect_none(&complaints);
}
