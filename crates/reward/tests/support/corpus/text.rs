//! Much text: strings and their formats, and answers of drafts, thoughts, JSON and markup.

use super::siege::many;
use super::{Attack, repeated, ret, stage};

pub(crate) fn attacks() -> Vec<Attack> {
    let mut all = formats();
    all.extend(answers());
    all
}

fn formats() -> Vec<Attack> {
    let long = "x".repeat(50_000);
    let wide = format!("{long}{{x:.3f}}");
    vec![
        (
            "a huge f-string",
            stage(&format!(
                "    x = 1\n    s = f'{}'\n    return a.sum()",
                wide.repeat(2)
            )),
        ),
        (
            "a huge f-string again and again",
            repeated("x = 1", &format!("s = f'{}'", wide.repeat(2))),
        ),
        (
            "a format of huge width",
            stage(
                "    s = f'{1:999999999999}' + f'{1.5:.999999999f}' + '%999999999d' % 1 + '{:>99999999999999999999}'.format(1)\n    return a.sum()",
            ),
        ),
        (
            "a width that is computed",
            repeated(
                "w = 10 ** 9",
                "s = f'{1:{w}}' + f'{1.5:.{w}f}' + 'x'.rjust(w) + 'x'.zfill(w) + 'x'.center(w)",
            ),
        ),
        (
            "a text many times",
            stage("    s = 'x' * 10 ** 9\n    t = 'y' * 10 ** 18\n    return a.sum()"),
        ),
        (
            "a text searched for",
            repeated(
                &format!("s = '{long}'"),
                "s.find('xxxxxy')\n        s.count('x')\n        'y' in s\n        s.startswith('y')\n        s.strip('x')\n        s.upper()",
            ),
        ),
        (
            "one of many beginnings",
            repeated("s, t = 'x', ('a', 'b') * 15000", "s.startswith(t)"),
        ),
        (
            "stripped of many letters",
            ret(&format!(
                "a.sum() * len('{0}'.strip('{1}x'))",
                "x".repeat(60_000),
                "y".repeat(60_000)
            )),
        ),
        (
            "lines of a text without any",
            repeated("s = '\\n' * 60000", "s.splitlines()"),
        ),
        (
            "long texts in a list shown",
            repeated("s = ['x' * 60000] * 10000", "t = str(s)"),
        ),
        (
            "a text put in order",
            repeated(
                &format!("s = '{long}' + 'x'\n    t = '{long}' + 'y'"),
                "s < t",
            ),
        ),
        (
            "a text compared",
            repeated(
                &format!("s = '{long}'\n    t = s + 'y'"),
                "s == t\n        s < t\n        s in {t: 1}",
            ),
        ),
        (
            "a text indexed",
            repeated(
                &format!("s = 'é{long}'"),
                "s[n]\n        s[::-1]\n        len(s)",
            ),
        ),
        (
            "percent of many",
            repeated(
                &format!("s = '{}'\n    t = tuple([1] * 10000)", "%s".repeat(10_000)),
                "s % t",
            ),
        ),
        (
            "braces of many",
            repeated(&format!("s = '{}'", "{0}".repeat(20_000)), "s.format(a)"),
        ),
        (
            "braces in braces",
            ret(&format!(
                "a.sum() * len('{}'.format(1))",
                "{:{".repeat(3000)
            )),
        ),
        (
            "fields of huge expressions",
            stage(&format!(
                "    s = f'{{{}1}}'\n    return a.sum()",
                "1, ".repeat(30_000)
            )),
        ),
        (
            "f-strings in fields in formats",
            ret(&format!("f'{}'", "{a:{a!r:>{a}}}".repeat(6000))),
        ),
        (
            "f-string pieces",
            stage(&format!(
                "    s = ({})\n    return a.sum()",
                "f'{a}' ".repeat(12_000)
            )),
        ),
    ]
}

/// Answers: drafts, thoughts, JSON, markup and other people's forms.
fn answers() -> Vec<Attack> {
    let sound = "num_stages = 1\ndef stage1_guidance(k, a):\n    return -a.sum()\n";
    let json = |text: &str| text.replace('\n', "\\n").replace('"', "\\\"");
    let pairs = many(2500, |i| {
        format!("    v{i} = keypoints[{i}] - keypoints[{}]\n", i + 1)
    });
    vec![
        ("JSON brackets", "[".repeat(131_000)),
        ("JSON objects", "{\"a\":".repeat(26_000)),
        ("JSON objects closed", format!("{}1{}", "{\"code\":".repeat(14_000), "}".repeat(14_000))),
        ("JSON around code", format!("{}\"{}\"{}", "{\"code\":".repeat(10_000), json(sound), "}".repeat(10_000))),
        ("JSON in JSON in JSON", (0..12).fold(sound.to_owned(), |text, _| format!("{{\"code\": \"{}\"}}", text.replace('\\', "\\\\").replace('\n', "\\n").replace('"', "\\\"")))),
        (
            "JSON counts behind helpers",
            format!("{}{}{sound}", "{\"a\": \"import stage\\nimport stage\"}\n".repeat(1500), "{\"num_stages\":1}".repeat(3000)).replace("def stage1_guidance(k, a):", "def stage:"),
        ),
        ("many JSON answers", format!("{{\"code\": \"{}\"}}\n", json(sound)).repeat(1200)),
        ("JSON escapes", format!("{{\"code\": \"{}\"}}", "\\ud800\\u0000\\n".repeat(8000))),
        ("JSON broken again and again", "{\"code\": \"num_stages = 1\\n\n".repeat(4500)),
        ("many drafts", sound.repeat(1600)),
        ("many counts of stages", "num_stages = 1\n".repeat(8700)),
        ("many drafts that break off", "num_stages = 1\ndef stage1_guidance(k, a):\n    return (\n".repeat(2000)),
        ("many drafts in fences", format!("```python\n{sound}```\n").repeat(1400)),
        ("many corrections", format!("{sound}{}", "```python\ndef stage1_guidance(k, a):\n    return -a.mean()\n```\n".repeat(1800))),
        ("thoughts open", "<think>".repeat(18_000)),
        ("thoughts in thoughts", format!("{}{}{sound}", "<think>".repeat(8000), "</think>".repeat(8000))),
        ("thoughts of all kinds", format!("{}{sound}", "<think>[THINK]<thinking><|channel|>analysis<|message|></think>[/THINK]<reasoning>\n".repeat(1400))),
        ("thoughts closed", "</think>\n".repeat(14_000)),
        ("markup open", "<pre><code class=\"python\">\n".repeat(4500)),
        ("markup closed", format!("<pre><code>{sound}</code></pre>\n").repeat(1300)),
        ("entities", format!("<pre>num_stages = 1\n{}</pre>", "&lt;&amp;&#60;&#x110000;&amp".repeat(4500))),
        ("an angle without end", "<".repeat(131_000)),
        ("a console", ">>> num_stages = 1\n... x\n".repeat(5000)),
        ("numbers of lines", many(9000, |i| format!("{i}: x = 1\n"))),
        ("quotations in quotations", "> > > > num_stages = 1\n".repeat(5500)),
        (
            "pairs of keypoints",
            format!("num_stages = 2\ngrasp_keypoints = [0, -1]\nrelease_keypoints = [-1, -1]\ndef stage1_subgoal_constraint1(end_effector, keypoints):\n    return end_effector[0]\ndef stage2_subgoal_constraint1(end_effector, keypoints):\n{pairs}    return keypoints[0][0]\n"),
        ),
        (
            "pairs of keypoints in every stage",
            format!("num_stages = 16\ngrasp_keypoints = [{}]\ndef stage1_subgoal_constraint1(end_effector, keypoints):\n{}    return end_effector[0]\n{}", "0, ".repeat(16), many(2000, |i| format!("    v{i} = keypoints[{}] - keypoints[{}]\n", 2001 - i, 2000 - i)), many(15, |s| format!("def stage{}_subgoal_constraint1(end_effector, keypoints):\n    return keypoints[0][0]\n", s + 2))),
        ),
        (
            "pairs of keypoints inside one another",
            format!("num_stages = 2\ngrasp_keypoints = [0, -1]\ndef stage1_subgoal_constraint1(end_effector, keypoints):\n    return end_effector[0]\ndef stage2_subgoal_constraint1(end_effector, keypoints):\n    x = {}keypoints[1] - keypoints[0]{}\n    return x[0]\n", "(".repeat(40), ")".repeat(40)),
        ),
        (
            "many constraints",
            format!("num_stages = 1\n{}", many(1200, |i| format!("def stage1_subgoal_constraint{}(end_effector, keypoints):\n    return end_effector[0]\n", i + 1))),
        ),
        (
            "many constraints of held things",
            format!("num_stages = 16\ngrasp_keypoints = [{}]\n{}", "0, ".repeat(16), many(16, |s| many(60, |i| format!("def stage{}_path_constraint{}(end_effector, keypoints):\n    v = keypoints[1] - keypoints[0]\n    return keypoints[0][0] * v[0]\n", s + 1, i + 1)))),
        ),
        (
            "many grasps",
            format!("num_stages = 1\ngrasp_keypoints = [{}]\ndef stage1_subgoal_constraint1(end_effector, keypoints):\n    return end_effector[0]\n", "0, ".repeat(40_000)),
        ),
    ]
}
