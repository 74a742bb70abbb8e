//! What is refused, before anything is sent or written.

use crate::world::World;

#[test]
fn a_directory_that_is_no_repository_is_refused_without_a_request() {
    let world = World::new();
    let sent = world.requests_of(|| {
        world.run_command("backup").exits(2).says("no backup repository is named");
        world
            .run_command("backup --to nowhere")
            .exits(10)
            .says("there is no backup repository at `nowhere`")
            .says("backup init --to nowhere");
        std::fs::create_dir(world.path("other")).unwrap();
        std::fs::write(world.path("other/letter.txt"), "x").unwrap();
        world.run_command("backup --to other").exits(2).says("is not a backup repository");
        world.run_command("backup init --to other").exits(2).says("it has other files");
        world.run_command("backup --to s3://bucket/x").exits(2).says("object stores");
    });
    assert_eq!(sent, 0);
    assert_eq!(world.list_files("other"), ["letter.txt"]);
}

#[test]
fn a_repository_is_not_created_twice() {
    let world = World::with_repository();
    let header = std::fs::read(world.path("repo/repository.json")).unwrap();
    world
        .run_command("backup init --to repo --new-key key.txt")
        .exits(2)
        .says("there is a backup repository at `repo` already");
    assert!(!world.path("key.txt").exists(), "no key is left that belongs to nothing");
    assert_eq!(std::fs::read(world.path("repo/repository.json")).unwrap(), header);
}

#[test]
fn a_repository_of_a_newer_version_is_refused() {
    let world = World::with_repository();
    let header = world.path("repo/repository.json");
    let text = std::fs::read_to_string(&header).unwrap();
    std::fs::write(&header, text.replace("\"format\": 1", "\"format\": 2")).unwrap();
    for command in ["backup --to repo", "backup list --from repo", "export --from repo --out x"] {
        world.run_command(command).exits(12).says("has format 2").says("or a newer one");
    }
}

#[test]
fn a_snapshot_that_is_not_there_is_named() {
    let world = World::with_repository();
    world.run_command("export --from repo --out x").exits(10).says("no snapshot");
    world.back_up("");
    let says = |flags: &str, what: &str| {
        world.run_command(&format!("export --from repo --out x {flags}")).exits(10).says(what);
    };
    says("--snapshot latest~1", "there is no snapshot `latest~1`: there is 1 snapshot");
    says("--snapshot zzzz", "there is no snapshot `zzzz`");
    says("--at 2020-01-01", "the first snapshot is of");
    says("--location someoneElse", "has no snapshot of location `someoneElse`");
    world
        .run_command("export --from repo --out x --snapshot latest~x")
        .exits(2)
        .says("expected `latest` or `latest~N`");
    world.run_command("export --at 2026-01-01 --out x").exits(2).says("goes with `--from REPO`");
}

#[test]
fn the_configuration_names_repositories() {
    let world = World::with_repository();
    let config = world.path("config");
    std::fs::create_dir(&config).unwrap();
    let repo = world.path("repo").display().to_string();
    std::fs::write(
        config.join("config.toml"),
        format!(
            "[repositories.main]\npath = \"{repo}\"\n[repositories.second]\nurl = \"s3://acme\"\n"
        ),
    )
    .unwrap();
    let world = world.with_env("GHL_BULK_CONFIG", &config.display().to_string());
    world.run_command("backup --to main").exits(0);
    world.run_command("backup list --from main").exits(0);
    world.run_command("backup list").exits(2).says("no backup repository is named");
    std::fs::write(
        config.join("config.toml"),
        format!("default_repository = \"main\"\n[repositories.main]\npath = \"{repo}\"\n"),
    )
    .unwrap();
    let listed = world.run_command("backup list").exits(0);
    assert!(listed.stdout.contains("full"), "{}", listed.stdout);
    std::fs::write(config.join("config.toml"), "[repositories.main]\npaht = \"x\"\n").unwrap();
    world.run_command("backup list").exits(2).says("path");
}
