//! Who was erased stays away.

use crate::world::World;

fn copy_dir(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_dir(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn an_old_copy_that_knows_of_an_erasure_restores_all_but_the_erased() {
    let world = World::backed_up();
    let ids = [world.contact_id(10), world.contact_id(11)];
    copy_dir(&world.path("repo"), &world.path("old"));
    world.delete_contacts(&ids);
    world.run_command(&format!("backup erase --contact {} --yes", ids[0])).exits(0);
    for file in world.list_files("repo").iter().filter(|name| name.starts_with("erasure-")) {
        std::fs::copy(world.path(&format!("repo/{file}")), world.path(&format!("old/{file}")))
            .unwrap();
    }
    world.run_restore("--from old").exits(0).says("1 contact of the snapshot");
    assert_eq!(world.count_contacts(), 59);
    let _ = world.restored_id(&ids[1]);
    world.run_restore("").exits(0).says("the account has everything that was asked for");
    assert_eq!(world.count_contacts(), 59);
}

#[test]
fn a_run_of_a_restore_keeps_nothing_of_who_is_erased_after_it() {
    let world = World::backed_up();
    let id = world.contacts_with_children()[0].clone();
    let before = world.contact_by_id(&id);
    let email = before["contact"]["email"].as_str().unwrap().to_owned();
    world.delete_by_id(&id);
    world.run_restore("").exits(0);
    world.delete_by_id(&world.restored_id(&id));
    world.run_command(&format!("backup erase --contact {id} --yes")).exits(0);
    let mut dirs = vec![world.path("home")];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            for needle in [id.as_bytes(), email.as_bytes()] {
                let found = memchr::memmem::find(&bytes, needle);
                assert_eq!(found, None, "{}", path.display());
            }
        }
    }
}
