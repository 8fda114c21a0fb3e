//! Depth: of the text, as the parser and the guard before it see it, and of calls.

use super::{Attack, ret, stage};

pub(crate) fn attacks() -> Vec<Attack> {
    vec![
        (
            "parentheses",
            ret(&format!("{}a{}", "(".repeat(30_000), ")".repeat(30_000))),
        ),
        ("brackets open", ret(&"[".repeat(60_000))),
        ("minus signs", ret(&format!("{}a", "-".repeat(60_000)))),
        ("not", ret(&format!("{}a", "not ".repeat(20_000)))),
        ("sum chain", ret(&vec!["a"; 30_000].join("+"))),
        ("power chain", ret(&vec!["a"; 30_000].join("**"))),
        ("attributes", ret(&format!("a{}", ".T".repeat(30_000)))),
        ("calls", ret(&format!("a{}", "()".repeat(30_000)))),
        ("lambdas", ret(&"lambda: ".repeat(10_000))),
        (
            "conditionals",
            ret(&format!("{}a", "a if 1 else ".repeat(8_000))),
        ),
        ("f-string", ret(&format!("f'{{{}}}'", "(".repeat(30_000)))),
        (
            "carriage return hides code",
            ret(&format!("a # \r{}", "(".repeat(30_000))),
        ),
        ("indentation", {
            let body: String = (1..400)
                .map(|i| format!("{}if 1:\n", " ".repeat(i)))
                .collect();
            stage(&body)
        }),
        (
            "elif",
            stage(&format!(
                "    if 0:\n        pass\n{}    return a.sum()",
                "    elif 0:\n        pass\n".repeat(4_000)
            )),
        ),
        (
            "lambda parameters hide depth",
            ret(&format!("{}0", "lambda x, y=".repeat(9_000))),
        ),
        (
            "lambda bodies hide depth",
            ret(&"lambda x, y: ".repeat(8_000)),
        ),
        (
            "lambdas in arguments",
            ret(&"f(0, lambda x, y: ".repeat(6_000)),
        ),
        (
            "a number hides an f-string",
            ret(&format!("1_000f'{{{}}}'", "(".repeat(60_000))),
        ),
        (
            "a symbol hides an f-string",
            ret(&format!("\u{d7}f'{{{}}}'", "(".repeat(60_000))),
        ),
        (
            "a symbol hides a raw f-string",
            ret(&format!("\u{20ac}rf'{{{}}}'", "[".repeat(60_000))),
        ),
        (
            "template string",
            ret(&format!("t'{{{}}}'", "(".repeat(60_000))),
        ),
        ("f-strings inside f-strings", ret(&"f'{".repeat(30_000))),
        (
            "continued string hides code",
            ret(&format!("'\\\r\n' + {}", "(".repeat(60_000))),
        ),
        (
            "string continued by a lone return",
            ret(&format!("'\\\r' + {}", "(".repeat(60_000))),
        ),
        (
            "triple quotes end early",
            ret(&format!("'''\\'''' + {}", "(".repeat(60_000))),
        ),
        ("wrong closing brackets", ret(&"f(]".repeat(30_000))),
        ("wrong closing braces", ret(&"f[}".repeat(30_000))),
        ("closing brackets first", ret(&")(".repeat(30_000))),
        ("dictionary", ret(&"{0: ".repeat(20_000))),
        ("sets of tuples", ret(&"{(0, ".repeat(20_000))),
        ("slices", ret(&"a[0:".repeat(20_000))),
        (
            "subscripts of subscripts",
            ret(&format!("a{}", "[0, ".repeat(20_000))),
        ),
        ("walrus", ret(&"(x := ".repeat(20_000))),
        ("await", ret(&"await ".repeat(20_000))),
        ("yield", ret(&"(yield ".repeat(20_000))),
        ("starred", ret(&"*".repeat(60_000))),
        ("comparison chain", ret(&vec!["a"; 30_000].join(" < "))),
        ("boolean chain", ret(&vec!["a"; 20_000].join(" and "))),
        (
            "backslash lines",
            ret(&format!("{}a", "-\\\n".repeat(30_000))),
        ),
        ("brackets over lines", ret(&"(\n".repeat(40_000))),
        (
            "comprehensions in comprehensions",
            ret(&"[x for x in ".repeat(9_000)),
        ),
        (
            "comprehension clauses",
            ret(&format!("[x {}]", "for x in k ".repeat(9_000))),
        ),
        (
            "decorators",
            format!(
                "num_stages = 1\n{}def stage1_guidance(k, a):\n    return 0\n",
                "@a\n".repeat(30_000)
            ),
        ),
        (
            "annotation",
            format!(
                "num_stages = 1\ndef stage1_guidance(k: {}, a):\n    return 0\n",
                "a[".repeat(30_000)
            ),
        ),
        (
            "type parameters",
            format!(
                "num_stages = 1\ndef stage1_guidance[{}](k, a):\n    return 0\n",
                "T: [".repeat(20_000)
            ),
        ),
        (
            "match patterns",
            stage(&format!(
                "    match a:\n        case {}:\n            pass",
                "[x, ".repeat(20_000)
            )),
        ),
        (
            "match alternatives",
            stage(&format!(
                "    match a:\n        case {}0:\n            pass",
                "0 | ".repeat(20_000)
            )),
        ),
        (
            "match or call",
            stage(&format!("    match {}", "(a, ".repeat(20_000))),
        ),
        (
            "with items",
            stage(&format!("    with {}", "(a, ".repeat(20_000))),
        ),
        (
            "with in parentheses",
            stage(&format!(
                "    with ({} as b):\n        pass",
                vec!["a"; 30_000].join(", ")
            )),
        ),
        (
            "assignment chain",
            stage(&format!("    {}a", "x = ".repeat(30_000))),
        ),
        (
            "assignment targets",
            stage(&format!("    {} = a", "(x, ".repeat(20_000))),
        ),
        (
            "functions in functions",
            stage(
                &(1..330)
                    .map(|i| format!("{}def f(x):\n", " ".repeat(i)))
                    .collect::<String>(),
            ),
        ),
        (
            "classes in classes",
            stage(
                &(1..330)
                    .map(|i| format!("{}class A:\n", " ".repeat(i)))
                    .collect::<String>(),
            ),
        ),
        (
            "tries in tries",
            stage(
                &(1..330)
                    .map(|i| format!("{}try:\n", " ".repeat(i)))
                    .collect::<String>(),
            ),
        ),
        (
            "indentation after an open bracket",
            stage(&format!(
                "    (\n{}",
                (1..480)
                    .map(|i| format!("{}if a,:\n", " ".repeat(i)))
                    .collect::<String>()
            )),
        ),
        (
            "tabs hide indentation",
            stage(
                &(0..280)
                    .map(|i| {
                        format!(
                            "{}{}{}if 1:\n",
                            " ".repeat(200 - i.min(200)),
                            "\t".repeat(28),
                            " ".repeat(i)
                        )
                    })
                    .collect::<String>(),
            ),
        ),
        (
            "form feeds hide indentation",
            stage(
                &(1..280)
                    .map(|i| format!("{}\u{c}{}if 1:\n", " ".repeat(300 - i), " ".repeat(i)))
                    .collect::<String>(),
            ),
        ),
        (
            "deep body in recursive calls",
            stage(&format!(
                "    def f(x):\n        return {}f(x)\n    return f(a)",
                "-".repeat(180)
            )),
        ),
        (
            "deep default in recursive calls",
            stage(&format!(
                "    def f(x, y=0):\n        return {}f(x){}\n    return f(a)",
                "abs(".repeat(36),
                ")".repeat(36)
            )),
        ),
        (
            "default that calls itself",
            stage("    def f(x=f()):\n        return x\n    return f()"),
        ),
        (
            "defaults that call one another",
            stage(
                "    def f(x=g()):\n        return x\n    def g(x=f()):\n        return x\n    return f()",
            ),
        ),
        (
            "lambda that calls itself",
            stage("    f = lambda x: f(f(x))\n    return f(a)"),
        ),
        (
            "backslashes hide indentation",
            stage(
                &(1..400)
                    .map(|i| format!("\\\n{}if 1:\n", " ".repeat(i)))
                    .collect::<String>(),
            ),
        ),
        (
            "stray backslashes hide indentation",
            stage(
                &(1..400)
                    .map(|i| format!("\\{}if 1:\n", " ".repeat(i)))
                    .collect::<String>(),
            ),
        ),
        (
            "nul hides indentation",
            stage(
                &(1..400)
                    .map(|i| format!("\0\n{}if 1:\n", " ".repeat(i)))
                    .collect::<String>(),
            ),
        ),
        (
            "odd dedents hide blocks",
            stage(
                &(1..60)
                    .map(|i| {
                        format!(
                            "{0}if 1:\n{0}    if 1:\n{0}  if 1:\n{0}    if 1:\n",
                            " ".repeat(5 * i)
                        )
                    })
                    .collect::<String>(),
            ),
        ),
        (
            "tabs against spaces hide blocks",
            stage(
                &(3..400)
                    .map(|i| format!("\t\tif 1:\n{}if 1:\n", " ".repeat(i)))
                    .collect::<String>(),
            ),
        ),
        ("yields hide depth", ret(&"yield a, ".repeat(12_000))),
        ("glued keywords", ret(&"0if 0else ".repeat(12_000))),
        ("glued lambdas", ret(&"1lambda x, y:".repeat(9_000))),
        ("semicolons in brackets", ret(&"(0;".repeat(30_000))),
        (
            "blocks after an open bracket",
            stage(&format!(
                "    f(\n{}",
                (1..480)
                    .map(|i| format!("{}if a, a:\n", " ".repeat(i)))
                    .collect::<String>()
            )),
        ),
    ]
}
