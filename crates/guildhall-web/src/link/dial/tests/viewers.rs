use guildhall_model::ChannelId;

use super::*;
use crate::fanout::ViewedRooms;

const TABLE: ChannelId = ChannelId(7);

#[tokio::test]
async fn each_attachment_is_told_who_looks_at_which_room_and_then_what_changes() {
    let house = House::open().await;
    let mut gateway = house.accept().await;
    gateway.greet(at(0));
    assert_eq!(gateway.next().await, joins(None));
    let first = gateway.viewers().await;
    assert_eq!(first.rooms, BTreeMap::new());

    let mut viewed = ViewedRooms::new(house.viewers.clone(), &[TABLE]);
    viewed.update(|_| true);
    let second = gateway.viewers().await;
    assert_eq!(second.rooms, BTreeMap::from([(TABLE, 1)]));

    drop(gateway);
    let mut gateway = house.accept().await;
    gateway.greet(at(0));
    let again = gateway.viewers().await;
    assert_eq!(
        again, second,
        "of the same process, and nothing has changed"
    );
    drop(viewed);
    assert_eq!(gateway.viewers().await.rooms, BTreeMap::new());
    assert_eq!(first.instance, second.instance);
}

#[tokio::test]
async fn two_processes_are_two_instances() {
    let mut instances = Vec::new();
    for _ in 0..2 {
        let house = House::open().await;
        let mut gateway = house.accept().await;
        gateway.greet(at(0));
        instances.push(gateway.viewers().await.instance);
    }
    assert_ne!(instances[0], instances[1]);
}

impl Gateway {
    /// The next table, whatever else is asked meanwhile.
    async fn viewers(&mut self) -> ViewerTable {
        if let Some(table) = self.told.pop_front() {
            return table;
        }
        let next = async {
            loop {
                if let sender::Output::Viewers(table) = self.run().await {
                    return table;
                }
            }
        };
        timeout(PATIENCE, next).await.expect("in time")
    }
}
