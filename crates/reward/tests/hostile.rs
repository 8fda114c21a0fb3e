//! Nothing that a text can hold takes long, takes much memory or panics.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic")]

use std::time::{Duration, Instant};

use tiller_reward::{CompileOptions, compile};

fn stage(body: &str) -> String {
    format!("num_stages = 1\ndef stage1_guidance(k, a):\n{body}\n")
}

fn hostile() -> Vec<(&'static str, String)> {
    let ret = |expression: &str| stage(&format!("    return {expression}"));
    vec![
        ("parentheses", ret(&format!("{}a{}", "(".repeat(30_000), ")".repeat(30_000)))),
        ("brackets open", ret(&"[".repeat(60_000))),
        ("minus signs", ret(&format!("{}a", "-".repeat(60_000)))),
        ("not", ret(&format!("{}a", "not ".repeat(20_000)))),
        ("sum chain", ret(&vec!["a"; 30_000].join("+"))),
        ("power chain", ret(&vec!["a"; 30_000].join("**"))),
        ("attributes", ret(&format!("a{}", ".T".repeat(30_000)))),
        ("calls", ret(&format!("a{}", "()".repeat(30_000)))),
        ("lambdas", ret(&"lambda: ".repeat(10_000))),
        ("conditionals", ret(&format!("{}a", "a if 1 else ".repeat(8_000)))),
        ("f-string", ret(&format!("f'{{{}}}'", "(".repeat(30_000)))),
        ("carriage return hides code", ret(&format!("a # \r{}", "(".repeat(30_000)))),
        ("indentation", {
            let body: String =
                (1..400).map(|i| format!("{}if 1:\n", " ".repeat(i))).collect();
            stage(&body)
        }),
        ("elif", stage(&format!("    if 0:\n        pass\n{}    return a.sum()", "    elif 0:\n        pass\n".repeat(4_000)))),
        ("huge range", stage("    s = 0\n    for i in range(10**15):\n        s += 1\n    return s")),
        ("nested ranges", stage("    s = 0\n    for i in range(10**4):\n        for j in range(10**4):\n            s += 1\n    return s")),
        ("huge list", stage("    x = [0] * 10**12\n    return x")),
        ("doubling list", stage("    x = [0, 0]\n    for i in range(60):\n        x = [x, x]\n    return torch.tensor(x).sum()")),
        ("doubling by addition", stage("    x = [0, 0]\n    for i in range(60):\n        x = x + x\n    return a.sum()")),
        ("nested list", stage("    x = []\n    for i in range(100000):\n        x = [x]\n    return a.sum()")),
        ("self append", stage("    x = [1]\n    for i in range(100000):\n        x.append(x)\n    return torch.tensor(x).sum()")),
        ("huge shape", ret("torch.zeros(10**6, 10**6, 10**6).sum()")),
        ("overflowing shape", ret("torch.zeros(2**62, 2**62).sum()")),
        ("huge expand", ret("a.expand(10**9, -1, -1).sum()")),
        ("huge repeat", ret("a.repeat(10**9, 10**9, 10**9).sum()")),
        ("huge arange", ret("torch.arange(1e18).sum()")),
        ("huge linspace", ret("torch.linspace(0, 1, 10**15).sum()")),
        ("huge eye", ret("torch.eye(10**9).sum()")),
        ("many dimensions", stage("    x = a\n    for i in range(100000):\n        x = x[None]\n    return x.sum()")),
        ("matmul", stage("    x = torch.ones(180, 180) * a[0, 0, 0]\n    return (x @ x).sum()")),
        ("einsum", ret("torch.einsum('bti,btj,btk,btl,btm->ijklm', a, a, a, a, a).sum()")),
        ("sorting", stage("    x = torch.arange(3000.0) * a[0, 0, 0]\n    return torch.sort(x)[0].sum()")),
        ("growing graph", stage("    x = a\n    for i in range(100000):\n        x = torch.sin(x) + x * x\n    return x.sum()")),
        ("big integers", ret("9**9**9**9")),
        ("integer literal", ret(&"9".repeat(50_000))),
        ("shift", ret("a.sum() * (1 << 10**9)")),
        ("recursion", stage("    def f(x):\n        return f(x) + f(x)\n    return f(a)")),
        ("branching calls", stage("    f = lambda x: x\n    g = lambda x: f(f(f(x)))\n    h = lambda x: g(g(g(x)))\n    i = lambda x: h(h(h(x)))\n    j = lambda x: i(i(i(x)))\n    return j(j(j(j(a.sum()))))")),
        ("escape", ret("().__class__.__bases__[0].__subclasses__()")),
        ("dunder import", ret("__import__('os').system('true')")),
        ("module escape", ret("torch.os.system('true')")),
        ("open", ret("open('/etc/passwd').read()")),
        ("unicode", ret("ａ.sum() + 𝒶 + a\u{202e}.mean()")),
        ("nul", "num_stages = 1\0\ndef stage1_guidance(k, a):\n    return a.sum()\0".to_owned()),
        ("megabytes", "num_stages = 1\n".repeat(400_000)),
        ("many stages", format!("num_stages = 16\n{}", (1..=16).map(|i| format!("def stage{i}_guidance(k, a):\n    x = a\n    for i in range(1000):\n        x = torch.sin(x)\n    return x.sum()\n")).collect::<String>())),
        ("many functions", format!("num_stages = 1\n{}", (1..3_000).map(|i| format!("def stage{i}_guidance(k, a): pass\n")).collect::<String>())),
        ("many errors", stage(&"    x = undefined_name\n".repeat(5_000))),
        ("fences", format!("```python\nnum_stages = 1\n{}", "```\n```python\nnum_stages = 1\n".repeat(4_000))),
        ("prose", "a word and another\n".repeat(6_000) + "num_stages = 1\n"),
        ("one long line", format!("# {}\nnum_stages = 1", "x ".repeat(60_000))),
        ("long string", ret(&format!("'{}'", "x".repeat(100_000)))),
        ("keyword flood", ret(&format!("torch.sum(a{})", ", x=1".repeat(15_000)))),
        ("comprehension", ret("sum([i * j for i in range(10**4) for j in range(10**4)])")),
        ("scope copies", stage("    x = [[0 for i in range(2)] for j in range(200000)]\n    return a.sum()")),
        ("index chain", stage("    x = a\n    i = torch.argmin(a[0, :, 0])\n    for n in range(1000):\n        x = x * a[0, i, 0]\n    return x.sum()")),
        ("roll", ret("a.roll(-9223372036854775808).sum() + a.roll(9223372036854775807, 1).sum()")),
        ("slice extremes", ret("a[-9223372036854775808:9223372036854775807:9223372036854775807].sum()")),
        ("chunk extremes", ret("a.split(9223372036854775807, 1)[0].sum() + a.chunk(9223372036854775807, 1)[0].sum()")),
        ("empty", ret("a[:, 5:5].mean() + a[:, 5:5].max()")),
        ("empty sum", ret("a[:, 5:5].sum() + a[:, 5:5].norm() + a.sum()")),
        ("narrow", ret("a.narrow(1, 9223372036854775807, 9223372036854775807).sum()")),
        ("enumerate", ret("sum(i for i, x in enumerate(k, 9223372036854775807))")),
    ]
}

#[test]
fn hostile_texts_are_decided_quickly() {
    let options = CompileOptions::new(4, 15);
    for (name, text) in hostile() {
        let start = Instant::now();
        let result = compile(&text, &options);
        let took = start.elapsed();
        let outcome = match &result {
            Ok(_) => "accepted".to_owned(),
            Err(mistakes) => {
                assert!(!mistakes.items.is_empty(), "{name}");
                // Rendering must cope with every span too.
                assert!(mistakes.render(&text).len() < 1 << 20, "{name}");
                assert!(mistakes.to_json().starts_with('['), "{name}");
                mistakes.items[0].kind.code().to_owned()
            }
        };
        println!("{name}: {outcome} in {took:?}");
        // Generous: the machine may be busy. The target is 100 ms.
        assert!(took < Duration::from_millis(400), "{name} took {took:?}");
    }
}

#[test]
fn a_small_stack_is_enough() {
    let texts = hostile();
    std::thread::Builder::new()
        .stack_size(1 << 20)
        .spawn(move || {
            for (_, text) in texts {
                let _ = compile(&text, &CompileOptions::new(4, 15));
            }
        })
        .unwrap()
        .join()
        .unwrap();
}

#[test]
fn what_the_limit_allows_fits_into_the_stack() {
    // As deep as the guard lets pass, in every way of nesting.
    let deep = [
        ("(", ")"),
        ("[", "]"),
        ("-", ""),
        ("not ", ""),
        ("a.T", ""),
        ("a + ", ""),
    ];
    for (open, close) in deep {
        for depth in 1..220 {
            let text = stage(&format!(
                "    return {}a{}",
                open.repeat(depth),
                close.repeat(depth)
            ));
            std::thread::Builder::new()
                .stack_size(1 << 20)
                .spawn(move || {
                    let _ = compile(&text, &CompileOptions::new(4, 15));
                })
                .unwrap()
                .join()
                .unwrap();
        }
    }
}
