//! Programs in folders, as VLS and ReKep leave them: a file for each stage, and `metadata.json`.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;
use tiller_core::file::{FileError, read_text_within};

use super::FilesError;

/// Most bytes of a file.
pub(super) const MAX_FILE_BYTES: u64 = 16 << 20;
/// Most bytes of a program's files together: the compiler takes far less.
const MAX_PROGRAM_BYTES: usize = 1 << 20;
/// Names of a folder that are looked at.
pub(super) const MAX_NAMES: usize = 10_000;
const METADATA: &str = "metadata.json";

/// What `metadata.json` says of the program; the rest is of the scene.
#[derive(Debug, Default, Deserialize)]
struct Metadata {
    num_stages: Option<usize>,
    #[serde(default)]
    stage_names: Vec<String>,
    grasp_keypoints: Option<Vec<i64>>,
    release_keypoints: Option<Vec<i64>>,
}

/// The program in a folder that VLS's or ReKep's way of writing it left, as one text; nothing if
/// there is none.
///
/// Read are `stageI_guidance.txt` (VLS), `stageI_subgoal_constraints.txt` and
/// `stageI_path_constraints.txt` (ReKep), and of `metadata.json` the number of stages, their names, and
/// which keypoints are grasped and released. Without a number, the stages are counted. No link is
/// followed out of the folder: what lies there would be shown to a model or in a message.
///
/// # Errors
/// [`FilesError`], which names the file.
pub fn program_of_folder(folder: &Path) -> Result<Option<String>, FilesError> {
    let files = stage_files(folder)?;
    let Some(last) = files.last().map(|&(stage, _)| stage) else {
        return Ok(None);
    };
    let metadata = match read_text_within(folder, METADATA, MAX_FILE_BYTES) {
        Ok(text) => serde_json::from_str(&text).map_err(|error| {
            let path = folder.join(METADATA);
            unreadable(&path, format!("not a program's metadata: {error}"))
        })?,
        Err(error) if error.is_not_found() => Metadata::default(),
        Err(error) => return Err(refused(&folder.join(METADATA), &error)),
    };
    let count = metadata.num_stages.unwrap_or(last);
    let has = |stage| files.iter().any(|&(own, _)| own == stage);
    if let Some(missing) = (1..=count.min(MAX_NAMES)).find(|&stage| !has(stage)) {
        let reason = format!(
            "there is no file for stage {missing} of {count}; expected stage{missing}_guidance.txt, \
             or stage{missing}_subgoal_constraints.txt"
        );
        return Err(unreadable(folder, reason));
    }
    // A fence that nothing in the files closes.
    let mut text = format!("~~~~~~~~python\nnum_stages = {count}\n");
    let names = serde_json::to_string(&metadata.stage_names).unwrap_or_default();
    if !metadata.stage_names.is_empty() {
        text.push_str(&format!("stage_names = {names}\n"));
    }
    let lists = [
        ("grasp_keypoints", &metadata.grasp_keypoints),
        ("release_keypoints", &metadata.release_keypoints),
    ];
    for (name, list) in lists {
        if let Some(list) = list {
            text.push_str(&format!("{name} = {list:?}\n"));
        }
    }
    for (_, name) in &files {
        let own = read_text_within(folder, name, MAX_FILE_BYTES)
            .map_err(|error| refused(&folder.join(name), &error))?;
        text.push_str(&format!("\n# {name}\n{}\n", own.trim_end()));
        if text.len() > MAX_PROGRAM_BYTES {
            let reason = format!("its stages have more than {MAX_PROGRAM_BYTES} bytes together");
            return Err(unreadable(folder, reason));
        }
    }
    text.push_str("~~~~~~~~\n");
    Ok(Some(text))
}

/// The files of stages, by stage and name.
fn stage_files(folder: &Path) -> Result<BTreeSet<(usize, String)>, FilesError> {
    let entries =
        std::fs::read_dir(folder).map_err(|error| unreadable(folder, error.to_string()))?;
    let mut files = BTreeSet::new();
    for entry in entries.flatten().take(MAX_NAMES) {
        let name = entry.file_name().to_string_lossy().into_owned();
        if let Some(stage) = stage_of(&name) {
            files.insert((stage, name));
        }
    }
    Ok(files)
}

/// The stage in `stage2_guidance.txt`.
fn stage_of(name: &str) -> Option<usize> {
    let (stage, kind) = name
        .strip_prefix("stage")?
        .strip_suffix(".txt")?
        .split_once('_')?;
    // VLS names the file of `stage2_guidance_1` so.
    let kinds = [
        "guidance",
        "guidance_guidance",
        "subgoal_constraints",
        "path_constraints",
        "subgoal_constraint_constraints",
        "path_constraint_constraints",
    ];
    kinds.contains(&kind).then(|| stage.parse().ok()).flatten()
}

pub(super) fn unreadable(path: &Path, reason: String) -> FilesError {
    FilesError::Unreadable {
        path: path.to_owned(),
        reason,
    }
}

pub(super) fn refused(path: &Path, error: &FileError) -> FilesError {
    unreadable(path, error.reason())
}

#[cfg(test)]
mod tests {
    use std::fs::write;

    use tempfile::TempDir;
    use tiller_reward::{CompileOptions, Program, compile};

    use super::*;

    fn folder(files: &[(&str, &str)]) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    fn program(files: &[(&str, &str)]) -> Program {
        let folder = folder(files);
        let text = program_of_folder(folder.path()).unwrap().unwrap();
        compile(&text, &CompileOptions::new(4, 17))
            .unwrap_or_else(|mistakes| panic!("{}", mistakes.render(&text)))
    }

    fn refused(files: &[(&str, &str)]) -> String {
        program_of_folder(folder(files).path())
            .unwrap_err()
            .to_string()
    }

    const REACH: &str = "def stage1_guidance1(keypoints, action_sequence):\n    \"\"\"Reach.\"\"\"\n    return -torch.norm(action_sequence - keypoints[0], dim=-1).mean()\n\ndef stage1_guidance2(keypoints, action_sequence):\n    return -torch.relu(0.1 - action_sequence[..., 2]).mean()\n\n";
    const PUSH: &str = "def stage2_guidance_1(keypoints, trajectory_3d):\n    return -torch.norm(trajectory_3d - keypoints[2], dim=-1).mean()\n\n";

    #[test]
    fn a_cache_of_vls_runs_unchanged() {
        let metadata = r#"{"init_keypoint_positions": [[0.1, 0, 0]], "num_keypoints": 4, "num_stages": 2, "stage_names": ["reach the \"mug\"", "push it"], "key_points_objects_map": {"0": "mug"}}"#;
        let files = [
            ("metadata.json", metadata),
            ("stage1_guidance.txt", REACH),
            ("stage2_guidance_guidance.txt", PUSH),
            ("prompt.txt", "def stage9_guidance(): no"),
            ("output_raw.txt", "num_stages = 9"),
        ];
        let with = program(&files);
        assert_eq!(with.stages.len(), 2);
        assert_eq!(with.stages[0].description, "reach the \"mug\"");
        assert_eq!(with.stages[1].description, "push it");
        assert_eq!(with.stages[1].guidance.used_keypoints(), [2]);
        // Without metadata the stages are counted; a file may say their number itself.
        let without = program(&[
            ("stage1_guidance.txt", &format!("num_stages = 2\n{REACH}")),
            ("stage2_guidance.txt", PUSH),
        ]);
        assert_eq!(without.stages.len(), 2);
        assert_eq!(without.stages[0].description, "Reach.");
        let rewards = |program: &Program| program.stages[0].guidance.operations();
        assert_eq!(rewards(&with), rewards(&without));
    }

    #[test]
    fn a_folder_of_rekep_runs_unchanged() {
        let grasp = "def stage1_subgoal_constraint1(end_effector, keypoints):\n    return np.linalg.norm(end_effector - keypoints[1])\n\n";
        let holds = "def stage2_path_constraint1(end_effector, keypoints):\n    \"\"\"The robot must still be grasping the pen.\"\"\"\n    return get_grasping_cost_by_keypoint_idx(1)\n\n";
        let place = "def stage2_subgoal_constraint1(end_effector, keypoints):\n    above = np.mean(keypoints[2:4], axis=0) + np.array([0, 0, 0.2])\n    return np.linalg.norm(keypoints[1] - above)\n\n";
        let metadata =
            r#"{"num_stages": 2, "grasp_keypoints": [1, -1], "release_keypoints": [-1, 1]}"#;
        let program = program(&[
            ("metadata.json", metadata),
            ("stage1_subgoal_constraints.txt", grasp),
            ("stage1_path_constraints.txt", ""),
            ("stage2_path_constraints.txt", holds),
            ("stage2_subgoal_constraints.txt", place),
        ]);
        assert_eq!(program.stages.len(), 2);
        assert!(
            program
                .stages
                .iter()
                .all(|stage| stage.done.is_some() && !stage.is_unguided)
        );
    }

    #[test]
    fn a_missing_or_odd_file_is_named() {
        let files = [("prompt.txt", ""), ("metadata.json", "{}")];
        assert_eq!(program_of_folder(folder(&files).path()).unwrap(), None);
        let error = refused(&[
            ("metadata.json", r#"{"num_stages": 3}"#),
            ("stage1_guidance.txt", REACH),
            ("stage2_guidance.txt", PUSH),
        ]);
        assert!(
            error.contains("stage 3 of 3") && error.contains("stage3_guidance.txt"),
            "{error}"
        );
        let error = refused(&[("stage2_guidance.txt", PUSH)]);
        assert!(error.contains("stage1_guidance.txt"), "{error}");
        for metadata in ["[1", r#"{"num_stages": "two"}"#, r#"{"num_stages": -1}"#] {
            let error = refused(&[("metadata.json", metadata), ("stage1_guidance.txt", REACH)]);
            assert!(
                error.contains("metadata.json: not a program's metadata"),
                "{error}"
            );
        }
        let odd = folder(&[("stage1_guidance.txt", REACH)]);
        write(odd.path().join("stage2_guidance.txt"), [0xff, 0xfe]).unwrap();
        let error = program_of_folder(odd.path()).unwrap_err().to_string();
        assert!(
            error.contains("stage2_guidance.txt: it is not UTF-8"),
            "{error}"
        );
        std::fs::remove_file(odd.path().join("stage2_guidance.txt")).unwrap();
        std::fs::create_dir(odd.path().join("stage2_guidance.txt")).unwrap();
        let error = program_of_folder(odd.path()).unwrap_err().to_string();
        assert!(
            error.contains("stage2_guidance.txt: it is not a regular file"),
            "{error}"
        );
    }

    #[test]
    fn what_never_ends_or_leads_elsewhere_is_not_read() {
        use std::os::unix::fs::symlink;

        let elsewhere = folder(&[("secret", "# of another folder")]);
        for name in ["stage2_guidance.txt", "metadata.json"] {
            for (target, expected) in [
                (Path::new("/dev/zero"), "it leads out of its folder"),
                (
                    &elsewhere.path().join("secret"),
                    "it leads out of its folder",
                ),
                (Path::new("pipe"), "it is not a regular file but a pipe"),
                (Path::new("stages"), "it is not a regular file but a folder"),
            ] {
                let odd = folder(&[("stage1_guidance.txt", REACH)]);
                let made = std::process::Command::new("mkfifo")
                    .arg(odd.path().join("pipe"))
                    .status();
                assert!(made.unwrap().success());
                std::fs::create_dir(odd.path().join("stages")).unwrap();
                symlink(target, odd.path().join(name)).unwrap();
                let error = program_of_folder(odd.path()).unwrap_err().to_string();
                assert!(error.contains(&format!("{name}: {expected}")), "{error}");
                assert!(!error.contains("another folder"), "{error}");
            }
        }
        let linked = folder(&[("reach.txt", REACH)]);
        symlink("reach.txt", linked.path().join("stage1_guidance.txt")).unwrap();
        assert!(program_of_folder(linked.path()).unwrap().is_some());
    }
}
