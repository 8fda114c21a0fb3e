use super::*;

const PRICES: Prices = Prices {
    input_usd_per_million: 2.0,
    output_usd_per_million: 10.0,
};

fn usage(input_tokens: u64, output_tokens: u64) -> Usage {
    Usage {
        input_tokens,
        output_tokens,
        estimated: false,
    }
}

/// What a server says of an answer that has a token at least.
fn said(input_tokens: u64, output_tokens: u64) -> Charge {
    Charge::Said {
        usage: usage(input_tokens, output_tokens),
        least: usage(1, 1),
    }
}

fn budget(limits: BudgetLimits) -> Budget {
    Budget::new(limits, PRICES).unwrap()
}

#[test]
fn each_limit_stops_the_question_that_could_pass_it() {
    let mut queries = budget(BudgetLimits {
        queries: Some(1),
        ..Default::default()
    });
    let first = queries.book(usage(1, 1)).unwrap();
    queries.settle(first, Charge::Nothing);
    assert_eq!(
        queries.book(usage(1, 1)).unwrap_err(),
        BudgetError::Queries { limit: 1 }
    );
    queries.start_episode();
    assert!(queries.book(usage(1, 1)).is_ok());

    let mut tokens = budget(BudgetLimits {
        tokens: Some(100),
        ..Default::default()
    });
    let booking = tokens.book(usage(60, 40)).unwrap();
    tokens.settle(booking, said(60, 1));
    let expected = BudgetError::Tokens {
        needed: 40,
        spent: 61,
        limit: 100,
    };
    assert_eq!(tokens.book(usage(30, 10)).unwrap_err(), expected);
    assert!(tokens.book(usage(u64::MAX, 1)).is_err());

    let mut money = budget(BudgetLimits {
        cost_usd: Some(0.02),
        ..Default::default()
    });
    let booking = money.book(usage(5000, 1000)).unwrap();
    let cost_usd = money.settle(booking, said(5000, 500));
    assert!((cost_usd - 0.015).abs() < 1e-12);
    let error = money.book(usage(1000, 301)).unwrap_err();
    assert!(error.to_string().contains("0.0150 of 0.0200"), "{error}");
    assert!(money.book(usage(1000, 299)).is_ok());
}

#[test]
fn questions_under_way_and_given_up_stay_booked() {
    let mut budget = budget(BudgetLimits {
        tokens: Some(100),
        ..Default::default()
    });
    let given_up = budget.book(usage(10, 50)).unwrap();
    assert!(budget.book(usage(10, 50)).is_err());
    drop(given_up);
    assert!(budget.book(usage(10, 50)).is_err());
    assert_eq!(budget.spent().tokens(), 60);
}

#[test]
fn a_question_belongs_to_the_episode_in_which_it_was_booked() {
    let mut budget = budget(BudgetLimits {
        tokens: Some(100),
        ..Default::default()
    });
    let old = budget.book(usage(10, 50)).unwrap();
    budget.start_episode();
    let new = budget.book(usage(10, 80)).unwrap();
    // It cost what it cost, and frees nothing of what the new episode's question has booked.
    assert!((budget.settle(old, said(10, 5)) - 70e-6).abs() < 1e-12);
    assert_eq!(budget.spent().tokens(), 90);
    budget.settle(new, said(10, 6));
    assert_eq!(budget.spent().tokens(), 16);
}

#[test]
fn what_cannot_be_true_is_charged_at_the_most() {
    let charged = |charge: Charge| {
        let mut budget = budget(BudgetLimits::default());
        let booking = budget.book(usage(100, 1000)).unwrap();
        budget.settle(booking, charge);
        let Spent {
            input_tokens,
            output_tokens,
            ..
        } = budget.spent();
        (input_tokens, output_tokens)
    };
    let least = usage(5, 32);
    let said = |input, output| Charge::Said {
        usage: usage(input, output),
        least,
    };
    assert_eq!(charged(Charge::Nothing), (0, 0));
    assert_eq!(charged(said(50, 40)), (50, 40));
    assert_eq!(charged(said(0, 40)), (100, 40));
    assert_eq!(charged(said(50, 1)), (50, 1000));
    assert_eq!(charged(said(150, 2000)), (150, 2000));
    let most = |input, output| Charge::Most {
        said: usage(input, output),
    };
    assert_eq!(charged(most(0, 0)), (100, 1000));
    assert_eq!(charged(most(50, 1001)), (100, 1001));
}

#[test]
fn a_server_that_counts_more_is_booked_higher_for_the_rest_of_the_episode() {
    let mut budget = budget(BudgetLimits {
        tokens: Some(1000),
        ..Default::default()
    });
    let booking = budget.book(usage(100, 100)).unwrap();
    budget.settle(booking, said(150, 50));
    // 150 and 100 from now on.
    let booking = budget.book(usage(100, 100)).unwrap();
    assert_eq!(budget.spent().tokens(), 450);
    budget.settle(booking, Charge::Most { said: usage(0, 0) });
    assert_eq!(budget.spent().tokens(), 450);
    drop(budget.book(usage(100, 100)).unwrap());
    assert_eq!(budget.spent().tokens(), 700);
    budget.start_episode();
    drop(budget.book(usage(100, 100)).unwrap());
    assert_eq!(budget.spent().tokens(), 200);
}

#[test]
fn words_have_between_a_token_a_byte_and_one_in_128() {
    let query = Query {
        purpose: crate::provider::Purpose::Reward,
        system: "s".repeat(1000),
        turns: vec![crate::provider::Turn {
            role: crate::provider::Role::User,
            text: "t".repeat(281),
        }],
        picture: None,
        scene: None,
    };
    let reply = |text: &str| Reply {
        text: text.to_owned(),
        model: String::new(),
        usage: Usage::default(),
    };
    assert_eq!(most_text_tokens(&query), 1281 + 16 + 256);
    let least = least_usage(&query, &reply(&"a".repeat(4096)));
    assert_eq!((least.input_tokens, least.output_tokens), (11, 32));
    assert_eq!(least_usage(&query, &reply("no")).output_tokens, 1);
}

#[test]
fn without_limits_everything_is_allowed_and_still_counted() {
    let mut free = Budget::default();
    for _ in 0..3 {
        let booking = free.book(usage(u64::MAX, u64::MAX)).unwrap();
        free.settle(booking, said(10, 5));
    }
    let spent = Spent {
        queries: 3,
        input_tokens: 30,
        output_tokens: 15,
    };
    assert_eq!((free.spent(), free.cost_usd()), (spent, 0.0));
}

#[test]
fn nonsense_is_refused() {
    let bad = |limits, prices| Budget::new(limits, prices).unwrap_err();
    let limits = BudgetLimits {
        cost_usd: Some(1.0),
        ..Default::default()
    };
    assert_eq!(
        bad(limits, Prices::default()),
        BudgetError::NoPrices { limit_usd: 1.0 }
    );
    for value in [-1.0, f64::NAN, f64::INFINITY] {
        let prices = Prices {
            output_usd_per_million: value,
            ..PRICES
        };
        assert!(matches!(
            bad(BudgetLimits::default(), prices),
            BudgetError::Number { .. }
        ));
    }
}
