use std::sync::Arc;

use super::*;
use crate::replica::Bounds;

fn classes_of_none() -> Classes {
    Classes::new(Bounds::of(8).buffers)
}

fn rooms(ids: &[u64]) -> VisibleRooms {
    VisibleRooms::of(ids.iter().copied().map(ChannelId))
}

fn seeing(classes: &Classes, room: u64) -> Vec<ClassId> {
    classes.seeing(ChannelId(room)).map(|(id, _)| id).collect()
}

#[test]
fn who_sees_the_same_comes_into_one_class_that_ends_with_the_last_of_them() {
    let mut classes = classes_of_none();
    let (one, two) = (classes.enter(&rooms(&[1, 2])), classes.enter(&rooms(&[1])));
    assert_eq!(classes.enter(&rooms(&[1, 2])), one);
    assert_ne!(one, two);
    assert_eq!(seeing(&classes, 1), [one, two]);
    assert_eq!(seeing(&classes, 2), [one]);

    classes.leave(one, 1);
    assert_eq!(classes.of(&rooms(&[1, 2])), Some(one));
    classes.leave(one, 1);
    assert_eq!(classes.of(&rooms(&[1, 2])), None);
    assert!(classes.get(one).is_none() && seeing(&classes, 2).is_empty());
    assert_eq!(
        classes.enter(&rooms(&[3])),
        one,
        "its number is given again"
    );
}

#[test]
fn two_classes_may_take_each_others_place() {
    let mut classes = classes_of_none();
    let (one, two) = (classes.enter(&rooms(&[1])), classes.enter(&rooms(&[2])));
    classes.move_to(one, &rooms(&[2]));
    classes.move_to(two, &rooms(&[1]));
    assert_eq!((classes.settle(one), classes.settle(two)), (None, None));
    assert_eq!(classes.of(&rooms(&[1])), Some(two));
    assert_eq!(
        (seeing(&classes, 1), seeing(&classes, 2)),
        (vec![two], vec![one])
    );
}

#[test]
fn of_two_that_see_the_same_now_the_one_with_more_viewers_goes_on() {
    for (first, second) in [(1, 2), (2, 1)] {
        let mut classes = classes_of_none();
        let mut fill = |ids: &[u64], viewers| {
            let entered = (0..viewers).map(|_| classes.enter(&rooms(ids)));
            entered.last().expect("somebody")
        };
        let (mover, there) = (fill(&[1], first), fill(&[1, 2], second));
        classes.move_to(mover, &rooms(&[1, 2]));
        let (over, stays) = if first > second {
            (there, mover)
        } else {
            (mover, there)
        };
        assert_eq!(classes.settle(mover), Some(over));
        assert_eq!(classes.of(&rooms(&[1, 2])), Some(stays));
        assert_eq!(seeing(&classes, 2), [stays]);
        assert_eq!(classes.iter().count(), 1);
    }
}

#[test]
fn a_buffer_of_a_class_that_is_over_is_no_other_classs() {
    let mut classes = classes_of_none();
    let old = classes.enter(&rooms(&[1]));
    let buffer = |classes: &mut Classes| classes.buffer(old, &Selector::ALL, 0).expect("there");
    let of_old = buffer(&mut classes);
    assert!(
        Arc::ptr_eq(&of_old, &buffer(&mut classes)),
        "one for a query"
    );
    classes.leave(old, 1);
    let new = classes.enter(&rooms(&[2]));
    assert_eq!(new, old);
    let of_new = buffer(&mut classes);
    classes.remove_buffer(old, &of_old);
    assert!(Arc::ptr_eq(&of_new, &buffer(&mut classes)));
    classes.remove_buffer(new, &of_new);
    assert!(
        classes
            .get(new)
            .is_some_and(|class| class.buffers().is_empty())
    );
}
