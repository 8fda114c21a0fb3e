//! Settings.

use tiller_closed_loop::{Guard, RecoveryConfig};
use tiller_core::{Problems, WorkspaceBox};
use tiller_motion::ActuatorConfig;
use tiller_motion::limits::Limits;
use tiller_node_kit::Environment;

use crate::arms::{ARMS, Opening};
use crate::watched::Watches;

/// Settings of the node.
#[derive(Debug)]
pub struct Settings {
    /// Which arm is moved.
    pub(crate) arm: Opening,
    /// Limits and checks.
    pub(crate) actuator: ActuatorConfig,
    /// What is demanded beyond them.
    pub(crate) guard: Guard,
    /// What is missed, and what becomes of the arm then.
    pub(crate) watch: Watches,
    /// Where the tool may be sent, whatever arm it is.
    pub(crate) cell: Cell,
    /// Whether a journal is sent for recorders; none: for an arm that is simulated.
    pub(crate) journal: Option<bool>,
}

impl Settings {
    /// Reads and checks everything.
    ///
    /// # Errors
    /// With all problems at once.
    pub fn read(mut env: Environment) -> Result<Self, Problems> {
        let defaults = ActuatorConfig::default();
        let kind = env.choice("ARM", "simulation", ARMS);
        let arm = kind(&mut env);
        let guard = guard(&mut env, arm.is_moved);
        let watch = Watches::read(&mut env, arm.is_real);
        let age_ms = env.number(
            "MAX_CHUNK_AGE_MS",
            defaults.max_chunk_age_ns / 1_000_000,
            1..=60_000,
        );
        let mut actuator = ActuatorConfig {
            max_chunk_age_ns: age_ms * 1_000_000,
            ..defaults
        };
        let cell = Cell::read(&mut env);
        cell.bound(&mut actuator.limits);
        let found = actuator.problems();
        env.refuse_all(found);
        let known = [("auto", None), ("on", Some(true)), ("off", Some(false))];
        let journal = env.choice("JOURNAL", "auto", &known);
        env.finish(Self {
            arm,
            actuator,
            guard,
            watch,
            cell,
            journal,
        })
    }
}

/// What an arm that can hurt demands by default, and others where it is set.
fn guard(env: &mut Environment, is_moved: bool) -> Guard {
    let arming = if is_moved { "required" } else { "off" };
    Guard {
        requires_arming: env.choice("ARMING", arming, &[("required", true), ("off", false)]),
        recovery: recovery(env),
        ..Guard::default()
    }
}

/// Recovery from reflexes by itself, if that is set.
fn recovery(env: &mut Environment) -> Option<RecoveryConfig> {
    let by_itself = [("manual", false), ("automatic", true)];
    let is_automatic = env.choice("RECOVERY", "manual", &by_itself);
    let config = RecoveryConfig {
        delay_ns: env.number("RECOVERY_DELAY_MS", 2_000, 100..=60_000) * 1_000_000,
        most: env.number("RECOVERY_MOST", 3, 1..=10),
    };
    is_automatic.then_some(config)
}

/// Where the arm may be, as far as that is set: `WORKSPACE` is a range of metres along x, y and z, `REACH` one from
/// shoulder to wrist, `TABLE_HEIGHT_M` where the table is and `LINK_CLEARANCE_M` and `TABLE_CLEARANCE_M` how far
/// from each other and from it the links stay.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cell {
    bounds: Option<WorkspaceBox>,
    reach_m: Option<(f64, f64)>,
    table_height_m: Option<f64>,
    between_links_m: Option<f64>,
    above_table_m: Option<f64>,
}

impl Cell {
    fn read(env: &mut Environment) -> Self {
        let mut cell = Self::default();
        if let Some(text) = env.optional("WORKSPACE") {
            match ranges(&text) {
                Some([x, y, z]) => {
                    cell.bounds = Some(WorkspaceBox {
                        min_m: [x.0, y.0, z.0],
                        max_m: [x.1, y.1, z.1],
                    });
                }
                None => env.refuse_as(
                    "WORKSPACE",
                    "ranges of metres along x, y and z, such as `0.2..0.9, -0.55..0.55, -0.35..0.75`",
                    &text,
                ),
            }
        }
        if let Some(text) = env.optional("REACH") {
            match ranges(&text) {
                Some([reach]) => cell.reach_m = Some(reach),
                None => env.refuse_as("REACH", "a range of metres, such as `0.33..0.68`", &text),
            }
        }
        let mut metres = |name| {
            let text = env.optional(name)?;
            let found = text.parse::<f64>().ok().filter(|metres| metres.is_finite());
            if found.is_none() {
                env.refuse(name, "a number of metres", Some(text));
            }
            found
        };
        cell.table_height_m = metres("TABLE_HEIGHT_M");
        cell.between_links_m = metres("LINK_CLEARANCE_M");
        cell.above_table_m = metres("TABLE_CLEARANCE_M");
        cell
    }

    /// Puts what is set in the place of what an arm's limits say.
    pub(crate) fn bound(&self, limits: &mut Limits) {
        let workspace = &mut limits.workspace;
        if let Some(bounds) = self.bounds {
            workspace.bounds = bounds;
        }
        if let Some((least, most)) = self.reach_m {
            (workspace.min_reach_m, workspace.max_reach_m) = (least, most);
        }
        let clearance = &mut limits.clearance;
        clearance.table_height_m = self.table_height_m.or(clearance.table_height_m);
        if let Some(metres) = self.between_links_m {
            clearance.between_links_m = metres;
        }
        if let Some(metres) = self.above_table_m {
            clearance.above_table_m = metres;
        }
    }
}

/// So many ranges `LOW..HIGH`, with commas between them.
fn ranges<const N: usize>(text: &str) -> Option<[(f64, f64); N]> {
    let range = |part: &str| {
        let (low, high) = part.trim().split_once("..")?;
        let (low, high): (f64, f64) = (low.trim().parse().ok()?, high.trim().parse().ok()?);
        (low < high && low.is_finite() && high.is_finite()).then_some((low, high))
    };
    let found: Vec<_> = text.split(',').map(range).collect::<Option<_>>()?;
    found.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_arm_and_a_bad_age_are_reported_together() {
        let env = Environment::from_pairs([("ARM", "toaster"), ("MAX_CHUNK_AGE_MS", "0")]);
        let error = Settings::read(env).unwrap_err().to_string();
        assert!(
            error.contains(
                "ARM: expected one of `simulation`, `dry-run`, `fci`, `osc`, found `toaster`"
            ),
            "{error}"
        );
        assert!(error.contains("MAX_CHUNK_AGE_MS"), "{error}");
    }

    #[test]
    fn limits_are_on_by_default() {
        let settings = Settings::read(Environment::from_pairs([])).unwrap();
        assert_eq!(settings.actuator, ActuatorConfig::default());
    }

    #[test]
    fn an_arm_of_metal_is_armed_by_hand_and_others_where_that_is_set() {
        let requires = |pairs: &[(&'static str, &'static str)]| {
            let env = Environment::from_pairs(pairs.iter().copied());
            Settings::read(env).unwrap().guard.requires_arming
        };
        let robot = ("FRANKA_ADDRESS", "172.16.0.2");
        assert!(!requires(&[]));
        assert!(!requires(&[("ARM", "dry-run")]));
        assert!(requires(&[("ARM", "dry-run"), ("ARMING", "required")]));
        assert!(requires(&[("ARM", "fci"), robot]));
        assert!(!requires(&[("ARM", "fci"), robot, ("ARMING", "off")]));
        assert!(!requires(&[("ARM", "fci"), robot, ("MOTION", "dry")]));
    }

    #[test]
    fn nothing_is_recovered_by_itself_unless_that_is_set() {
        let recovery = |pairs: &[(&'static str, &'static str)]| {
            let env = Environment::from_pairs(pairs.iter().copied());
            Settings::read(env).unwrap().guard.recovery
        };
        assert_eq!(recovery(&[("RECOVERY_MOST", "2")]), None);
        let set = recovery(&[("RECOVERY", "automatic"), ("RECOVERY_MOST", "2")]).unwrap();
        assert_eq!((set.most, set.delay_ns), (2, 2_000_000_000));
    }

    #[test]
    fn a_workspace_of_its_own_is_a_box_and_a_reach() {
        let env = Environment::from_pairs([
            ("WORKSPACE", "0..0.85, -0.3..0.6, 0.08 .. 0.75"),
            ("REACH", "0.23..0.71"),
        ]);
        let workspace = Settings::read(env).unwrap().actuator.limits.workspace;
        assert_eq!(workspace.bounds.min_m, [0.0, -0.3, 0.08]);
        assert_eq!(workspace.bounds.max_m, [0.85, 0.6, 0.75]);
        assert_eq!((workspace.min_reach_m, workspace.max_reach_m), (0.23, 0.71));
    }

    #[test]
    fn a_table_is_kept_clear_of_where_there_is_one() {
        let env = Environment::from_pairs([
            ("TABLE_HEIGHT_M", "-0.02"),
            ("LINK_CLEARANCE_M", "0.03"),
            ("TABLE_CLEARANCE_M", "0.05"),
        ]);
        let clearance = Settings::read(env).unwrap().actuator.limits.clearance;
        assert_eq!(clearance.table_height_m, Some(-0.02));
        assert_eq!(
            (clearance.between_links_m, clearance.above_table_m),
            (0.03, 0.05)
        );
        for bad in ["nan", "low", "-3"] {
            let env =
                Environment::from_pairs([("TABLE_HEIGHT_M", bad), ("LINK_CLEARANCE_M", "0.001")]);
            let error = Settings::read(env).unwrap_err().to_string();
            let is_told = error.contains("TABLE_HEIGHT_M") || error.contains("table_height_m");
            assert!(is_told && error.contains("between_links_m"), "{error}");
        }
    }

    #[test]
    fn a_workspace_that_is_none_is_told_with_all_else() {
        for bad in ["0..0.85", "0..1, 0..1, nan..1", "1..0, 0..1, 0..1", "far"] {
            let env = Environment::from_pairs([("WORKSPACE", bad), ("REACH", "0.3..5")]);
            let error = Settings::read(env).unwrap_err().to_string();
            assert!(
                error.contains("WORKSPACE: expected ranges of metres"),
                "{error}"
            );
            assert!(error.contains("max_reach_m"), "{error}");
        }
    }
}
