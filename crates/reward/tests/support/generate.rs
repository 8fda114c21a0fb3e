//! Random texts for the fuzz test: from bytes over token soup to programs that nearly compile.

use crate::corpus;
use crate::vocabulary::{FUNCTIONS, NUMBERS, OPERATORS, SUBSCRIPTS, TAME, TOKENS};

/// SplitMix64: small and seeded.
pub(crate) struct Random(u64);

impl Random {
    /// The numbers for input `index` of the run `seed`, so that each can be made again by itself.
    pub(crate) fn new(seed: u64, index: u64) -> Self {
        let mut random = Self(seed ^ index.wrapping_mul(0xD134_2543_DE82_EF95));
        random.next();
        random
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() >> 16) as usize % bound.max(1)
    }

    fn pick<'t>(&mut self, choices: &[&'t str]) -> &'t str {
        choices[self.below(choices.len())]
    }

    fn boundary(&mut self, text: &str) -> usize {
        let mut at = self.below(text.len() + 1);
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }
}

/// Makes texts from valid programs, from the hostile corpus and from nothing.
pub(crate) struct Generator {
    sources: Vec<String>,
    attacks: Vec<String>,
}

impl Generator {
    pub(crate) fn new(sources: Vec<String>) -> Self {
        let attacks = corpus::hostile()
            .into_iter()
            .map(|(_, text)| excerpt(&text))
            .collect();
        Self { sources, attacks }
    }

    /// One text and how it was made.
    pub(crate) fn text(&self, random: &mut Random) -> (&'static str, String) {
        let (how, mut text) = match random.below(16) {
            0 => ("bytes", bytes(random)),
            1 | 2 => ("tokens", soup(random)),
            3..=7 => ("grammar", Grammar::new(random).program()),
            8..=11 => ("damaged program", self.damaged(random, &self.sources, 4)),
            12 => ("damaged attack", self.damaged(random, &self.attacks, 3)),
            13 => ("spliced", self.spliced(random)),
            14 => ("lines", self.lines(random)),
            _ => {
                let text = Grammar::new(random).program();
                ("damaged grammar", self.damaged(random, &[text], 3))
            }
        };
        if random.below(8) == 0 {
            text = wrapped(random, &text);
        }
        (how, text)
    }

    fn any(&self, random: &mut Random) -> &str {
        if random.below(4) == 0 {
            &self.attacks[random.below(self.attacks.len())]
        } else {
            &self.sources[random.below(self.sources.len())]
        }
    }

    fn damaged(&self, random: &mut Random, from: &[String], most: usize) -> String {
        let mut text = from[random.below(from.len())].clone();
        for _ in 0..=random.below(most) {
            self.damage(random, &mut text);
        }
        text
    }

    fn damage(&self, random: &mut Random, text: &mut String) {
        let at = random.boundary(text);
        match random.below(6) {
            0 => text.insert_str(at, random.pick(TOKENS)),
            1 => {
                let end = (at + random.below(12)).min(text.len());
                if text.is_char_boundary(end) {
                    text.replace_range(at..end, "");
                }
            }
            2 => {
                // A word of another program amid the words of this one.
                let other = self.any(random);
                let words: Vec<&str> = other.split_inclusive([' ', '(', ')', ',']).collect();
                if !words.is_empty() {
                    text.insert_str(at, words[random.below(words.len())]);
                }
            }
            3 => {
                let number = text[at..].find(|c: char| c.is_ascii_digit());
                if let Some(place) = number.map(|offset| at + offset) {
                    text.replace_range(place..=place, random.pick(NUMBERS));
                }
            }
            4 => text.insert_str(at, &Grammar::new(random).expression(2)),
            _ => {
                let end = (at + random.below(4)).min(text.len());
                if text.is_char_boundary(end) {
                    text.replace_range(at..end, random.pick(TOKENS));
                }
            }
        }
    }

    /// The beginning of one text and the end of another.
    fn spliced(&self, random: &mut Random) -> String {
        let (first, second) = (self.any(random).to_owned(), self.any(random).to_owned());
        let (end, start) = (random.boundary(&first), random.boundary(&second));
        format!("{}{}", &first[..end], &second[start..])
    }

    /// Lines of a program left out, doubled, exchanged or indented.
    fn lines(&self, random: &mut Random) -> String {
        let mut lines: Vec<String> = self.any(random).lines().map(str::to_owned).collect();
        for _ in 0..=random.below(3) {
            if lines.is_empty() {
                break;
            }
            let (at, other) = (random.below(lines.len()), random.below(lines.len()));
            match random.below(5) {
                0 => drop(lines.remove(at)),
                1 => lines.insert(other, lines[at].clone()),
                2 => lines.swap(at, other),
                3 => lines[at].insert_str(0, random.pick(&[" ", "    ", "\t", "  ", "\u{c}"])),
                _ => lines[at] = lines[at].trim_start().to_owned(),
            }
        }
        lines.join(random.pick(&["\n", "\n", "\n", "\r\n", "\r"]))
    }
}

/// The ends of a long text: what is between repeats them.
fn excerpt(text: &str) -> String {
    let cut = |mut at: usize| {
        while !text.is_char_boundary(at) {
            at += 1;
        }
        at
    };
    if text.len() <= 900 {
        return text.to_owned();
    }
    format!("{}{}", &text[..cut(600)], &text[cut(text.len() - 200)..])
}

fn bytes(random: &mut Random) -> String {
    let length = 1 << random.below(11);
    let narrow = random.below(2) == 0;
    let bytes: Vec<u8> = (0..random.below(length))
        .map(|_| {
            if narrow {
                random.below(96) as u8 + 32
            } else {
                random.below(256) as u8
            }
        })
        .collect();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    match random.below(3) {
        0 => text,
        1 => format!("num_stages = 1\n{text}"),
        _ => corpus::ret(&text),
    }
}

fn soup(random: &mut Random) -> String {
    let length = 1 << random.below(7);
    let tokens: String = (0..random.below(length))
        .map(|_| random.pick(TOKENS))
        .collect();
    match random.below(4) {
        0 => tokens,
        1 => corpus::stage(&format!("    {tokens}")),
        _ => corpus::ret(&tokens),
    }
}

fn wrapped(random: &mut Random, text: &str) -> String {
    match random.below(8) {
        0 => format!("Here you are:\n```python\n{text}\n```\nIt moves the arm."),
        1 => format!("~~~\n{text}"),
        2 => format!("\u{feff}{text}"),
        3 => text.replace('\n', "\r\n"),
        4 => format!("1. First:\n   ```\n{}\n   ```", text.replace('\n', "\n   ")),
        5 => format!("{text}\nThis keeps the arm still.\n```bash\nls\n```\n"),
        6 => text.replace("    ", "\t"),
        _ => format!("{text}\n```\n{text}\n```"),
    }
}

/// Programs from a loose grammar: mostly Python, often of fitting types and shapes.
struct Grammar<'r> {
    random: &'r mut Random,
    /// Of a hundred expressions, how many are of any kind whatever.
    wild: usize,
}

impl<'r> Grammar<'r> {
    fn new(random: &'r mut Random) -> Self {
        let wild = [0, 2, 10, 60][random.below(4)];
        Self { random, wild }
    }

    /// An expression that has a good chance to fit.
    fn tame(&mut self, depth: usize) -> String {
        if depth == 0 {
            return self
                .random
                .pick(&[
                    "a",
                    "a",
                    "k[0]",
                    "k[-1]",
                    "x",
                    "y",
                    "0.5",
                    "2",
                    "a[:, -1:]",
                    "0.1",
                ])
                .to_owned();
        }
        let (first, second) = (self.expression(depth - 1), self.expression(depth - 1));
        match self.random.below(3) {
            0 => format!(
                "({first}{}{second})",
                self.random.pick(&[" + ", " - ", " * ", " < "])
            ),
            1 => first,
            _ => {
                let form = self.random.pick(TAME).replace('#', &first);
                format!("torch.{}", form.replace('$', &second))
            }
        }
    }

    fn program(&mut self) -> String {
        let stages = 1 + self.random.below(8) / 7;
        let mut text = format!("num_stages = {stages}\n");
        for stage in 1..=stages {
            text += &format!(
                "def stage{stage}_guidance(k, a):\n    x = a[0]\n    y = k[0]\n    i = 1\n"
            );
            for _ in 0..self.random.below(5) {
                text += &self.statement(1);
            }
            let result = self.expression(3);
            let forms = if self.wild > 2 { 4 } else { 1 };
            text += &match self.random.below(forms) + 4 - forms {
                0 => format!("    return {result}\n"),
                1 => format!("    return ({result}).mean()\n"),
                _ => format!("    return -torch.norm(a - ({result}), dim=-1).sum()\n"),
            };
            if self.random.below(6) == 0 {
                let value = self.expression(2);
                text += &format!(
                    "def stage{stage}_done(k, s, e):\n    x = y = a = e\n    i = 0\n    return 0.1 - torch.norm(e - k[0]) * ({value}).sum()\n"
                );
            }
        }
        text
    }

    fn name(&mut self) -> &'static str {
        self.random.pick(&["x", "y", "z", "i", "w", "a", "k"])
    }

    fn statement(&mut self, level: usize) -> String {
        let blank = "    ".repeat(level);
        let name = if self.wild > 2 {
            self.name()
        } else {
            self.random.pick(&["x", "y"])
        };
        let value = self.expression(2);
        let inner = |grammar: &mut Self| grammar.statement(level + 1);
        let kinds = if self.wild > 2 { 14 } else { 8 };
        match if level > 3 {
            0
        } else {
            self.random.below(kinds)
        } {
            0..=4 => format!("{blank}{name} = {value}\n"),
            5 if self.wild > 2 => {
                let operator = self.random.pick(&["+=", "-=", "*=", "/=", "**=", "@="]);
                format!("{blank}{name} {operator} {value}\n")
            }
            5 => format!("{blank}x = x * ({value})\n"),
            6 if self.wild > 2 => {
                format!("{blank}{name}{} = {value}\n", self.random.pick(SUBSCRIPTS))
            }
            6 => format!("{blank}x = a.clone()\n{blank}x[:, 1:] = ({value} + a)[:, :1]\n"),
            7 => format!("{blank}for {name} in {}:\n{}", self.iterable(), inner(self)),
            8 => {
                let other = inner(self);
                format!("{blank}if {value}:\n{}{blank}else:\n{other}", inner(self))
            }
            9 => format!("{blank}{name}, z = {value}\n"),
            10 => {
                let body = self.expression(2);
                format!(
                    "{blank}def f(w, z={value}):\n{blank}    return {body}\n{blank}x = f({name})\n"
                )
            }
            11 => format!(
                "{blank}w = []\n{blank}for z in {}:\n{blank}    w.append({value})\n",
                self.iterable()
            ),
            12 => format!("{blank}if {name} is None:\n{}", inner(self)),
            _ => format!(
                "{blank}{} {value}\n",
                self.random
                    .pick(&["assert", "", "return", "del", "pass;", "global"])
            ),
        }
    }

    fn iterable(&mut self) -> String {
        match if self.wild > 2 {
            self.random.below(6)
        } else {
            3
        } {
            0 => format!("range({})", self.random.pick(NUMBERS)),
            1 => format!("zip({}, {})", self.name(), self.name()),
            2 => format!("enumerate({})", self.name()),
            3 => "range(3)".to_owned(),
            4 => "[(0, 1), (2, 3)]".to_owned(),
            _ => self.expression(1),
        }
    }

    fn expression(&mut self, depth: usize) -> String {
        if self.random.below(100) >= self.wild {
            return self.tame(depth);
        }
        if depth == 0 {
            return match self.random.below(5) {
                0 => self.random.pick(NUMBERS).to_owned(),
                1 => "a[..., 0]".to_owned(),
                2 => "k[1]".to_owned(),
                _ => self.name().to_owned(),
            };
        }
        let first = self.expression(depth - 1);
        match self.random.below(14) {
            0..=2 => {
                let second = self.expression(depth - 1);
                format!("({first}{}{second})", self.random.pick(OPERATORS))
            }
            3 | 4 => format!("{first}{}", self.random.pick(SUBSCRIPTS)),
            5 | 6 => {
                let home = self.random.pick(&[
                    "torch",
                    "torch",
                    "torch",
                    "np",
                    "F",
                    "math",
                    "torch.linalg",
                ]);
                format!(
                    "{home}.{}({first}{})",
                    self.random.pick(FUNCTIONS),
                    self.arguments(depth)
                )
            }
            7 | 8 => {
                let arguments = self.arguments(depth);
                format!(
                    "{first}.{}({})",
                    self.random.pick(FUNCTIONS),
                    arguments.trim_start_matches(", ")
                )
            }
            9 => format!(
                "{}({first})",
                self.random.pick(&[
                    "-", "not ", "~", "abs", "float", "sum", "max", "len", "list"
                ])
            ),
            10 => format!("[{first}, {}]", self.expression(depth - 1)),
            11 => format!("[{first} for {} in {}]", self.name(), self.iterable()),
            12 => format!(
                "({first} if {} else {})",
                self.name(),
                self.expression(depth - 1)
            ),
            _ => format!("(lambda w: {first})({})", self.name()),
        }
    }

    fn arguments(&mut self, depth: usize) -> String {
        let mut text = String::new();
        for _ in 0..self.random.below(3) {
            text += ", ";
            text += &match self.random.below(6) {
                0 => "dim=-1".to_owned(),
                1 => format!("dim={}", self.random.pick(NUMBERS)),
                2 => self.random.pick(NUMBERS).to_owned(),
                3 => "keepdim=True".to_owned(),
                4 => format!(
                    "({}, {})",
                    self.random.pick(NUMBERS),
                    self.random.pick(NUMBERS)
                ),
                _ => self.expression(depth - 1),
            };
        }
        text
    }
}
