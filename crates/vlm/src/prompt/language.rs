//! The language's rules, told from the compiler's own table, so that prompt and compiler agree.

use tiller_reward::{Limits, Workspace, operations};

/// Every function that a program may call, a line for each module.
#[must_use]
pub fn operation_list() -> String {
    let mut lines: Vec<(&'static str, Vec<&'static str>)> = Vec::new();
    for operation in operations() {
        match lines
            .iter_mut()
            .find(|(module, _)| *module == operation.module)
        {
            Some((_, names)) => names.push(operation.name),
            None => lines.push((operation.module, vec![operation.name])),
        }
    }
    let mut out = String::new();
    for (module, names) in lines {
        let label = match module {
            "tensor" => "- methods of a tensor: ".to_owned(),
            "F" => "- `F` (torch.nn.functional): ".to_owned(),
            module => format!("- `{module}`: "),
        };
        out.push_str(&label);
        out.push_str(&names.join(" "));
        out.push('\n');
    }
    out
}

/// The box in which the arm works, in words.
pub(super) fn workspace(workspace: &Workspace) -> String {
    let axis = |name: &str, index: usize| {
        format!(
            "{name} {:.2} to {:.2}",
            workspace.min_m[index], workspace.max_m[index]
        )
    };
    format!("{}, {} and {}", axis("x", 0), axis("y", 1), axis("z", 2))
}

/// Stages that we ask for at most; far fewer than the compiler takes.
pub(super) fn max_stages(limits: &Limits) -> usize {
    limits.stages.min(8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_told_with_its_module() {
        let list = operation_list();
        let mut count = 0;
        for operation in operations() {
            let label = match operation.module {
                "tensor" => "- methods of a tensor: ".to_owned(),
                module => format!("- `{module}`"),
            };
            let mut lines = list.lines().filter(|line| line.starts_with(&label));
            let is_told =
                lines.any(|line| line.split([' ', ':']).any(|word| word == operation.name));
            assert!(
                is_told,
                "{}.{} is missing",
                operation.module, operation.name
            );
            count += 1;
        }
        assert!(count > 400, "only {count} operations");
        assert!(
            list.len() < 16_000,
            "{} bytes are too many for a prompt",
            list.len()
        );
    }
}
