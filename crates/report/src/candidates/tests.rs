use super::*;

fn picture() -> CandidatesPicture<'static> {
    let axis = |name, to_m| Axis {
        name,
        from_m: 0.0,
        to_m,
    };
    CandidatesPicture {
        views: vec![CandidateView {
            across: axis("y", 1.0),
            up: axis("z", 1.0),
            paths: vec![
                vec![[0.1, 0.2], [0.9, 0.2]],
                Vec::new(),
                vec![[0.1, 0.8], [0.9, 0.8]],
            ],
            ..CandidateView::default()
        }],
        rewards: vec![-1.0, f64::NAN, -0.2],
        selected: 2,
        steps: vec![
            CandidateStep {
                phase: "diversity",
                ..CandidateStep::default()
            },
            CandidateStep {
                phase: "guided",
                rewards: vec![-2.0, -1.5, -1.0],
                gradient_norms: vec![0.1, 0.2, f64::NAN],
                strength: 0.5,
                ess: 1.5,
                ancestors: Some(vec![0, 2, 2]),
            },
        ],
        ess_threshold: Some(1.5),
        ..CandidatesPicture::default()
    }
}

#[test]
fn the_executed_candidate_is_thick_and_bright_and_lost_ones_are_not_drawn() {
    let image = picture().draw();
    assert_eq!([image.width(), image.height()], SIZE);
    let at = |x: f64, z: f64| {
        let place = |share: f64, axis: usize| {
            (f64::from(ROOM[axis]) + f64::from(ROOM[axis + 2]) * share) as u32
        };
        *image.get_pixel(place(x, 0), place(1.0 - z, 1))
    };
    assert_eq!(at(0.5, 0.8), Rgb([253, 231, 37]));
    // A narrow line's colour is mixed with that of its edges.
    let thin = at(0.5, 0.2).0.into_iter().zip([68_u8, 1, 84]);
    assert!(
        thin.into_iter()
            .all(|(found, expected)| found.abs_diff(expected) < 16)
    );
    let coloured = |z: f64| {
        let column = (-12..=12).map(|off| at(0.5, z + f64::from(off) / 740.0));
        column.filter(|pixel| pixel.0 != [255; 3]).count()
    };
    assert!(coloured(0.8) > coloured(0.2) + 5);
    // Between two lines of the grid.
    assert_eq!(coloured(0.55), 0);
}

#[test]
fn nothing_to_show_is_drawn() {
    assert_eq!(CandidatesPicture::default().draw().height(), SIZE[1]);
    let mut bare = picture();
    bare.steps.clear();
    bare.rewards.fill(f64::NAN);
    assert_eq!(bare.draw().height(), SIZE[1]);
}
