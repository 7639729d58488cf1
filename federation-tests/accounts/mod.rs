//! Do accounts work on a real server: by the one-time link, the command line, invitations, approval and letters?

mod post_box;

use crate::browser::{Browser, Page};
use crate::server::{Clock, Server};
use post_box::PostBox;

const PASSWORD: &str = "correct horse battery staple";

async fn sign_in(server: &Server, name: &str, password: &str) -> (Browser, Page) {
    let mut browser = Browser::new(server);
    let form = browser.get("/sign-in").await;
    let page = browser.submit(&form, "/sign-in", &[("name", name), ("password", password)]).await;
    (browser, page)
}

async fn ask_for_account(server: &Server, path: &str, handle: &str, more: &[(&str, &str)]) -> Page {
    let mut browser = Browser::new(server);
    let form = browser.get(path).await;
    let email = format!("{handle}@example.test");
    let fields = [&[("handle", handle), ("email", email.as_str()), ("password", PASSWORD)], more].concat();
    browser.submit(&form, "/sign-up", &fields).await
}

async fn let_in(admin: &mut Browser, mode: &str) {
    let form = admin.get("/admin/settings").await;
    admin.submit(&form, "/admin/settings", &[("sign_up", mode)]).await.must_say("in force");
}

/// Where the last line of what a command printed leads.
fn link_of(server: &Server, printed: &str) -> String {
    let at = printed.find(&server.url).unwrap_or_else(|| panic!("no link in {printed}"));
    printed[at + server.url.len()..].split_whitespace().next().unwrap().to_owned()
}

async fn choose_password(server: &Server, link: &str, password: &str) -> Page {
    let mut browser = Browser::new(server);
    let form = browser.get(link).await;
    browser.submit(&form, link, &[("password", password)]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_is_set_up_and_lets_people_in_as_it_says() {
    let server = tokio::task::spawn_blocking(|| Server::start("east", &Clock::new())).await.unwrap();
    let link = server.set_up_path();
    let mut admin = Browser::new(&server);
    let form = admin.get(&link).await;
    let nothing = admin.submit(&form, "/set-up/", &[]).await;
    assert_eq!(nothing.status, 422);
    for said in ["name of at most 60", "choose a name", "enter your mail address", "at least 10 letters"] {
        nothing.must_say(said);
    }
    let all = [("site_name", "East"), ("sign_up", "closed"), ("handle", "nora"), ("email", "nora@example.test")];
    let done = admin.submit(&nothing, "/set-up/", &[&all[..], &[("password", PASSWORD)]].concat()).await;
    done.must_say("The school is set up");
    assert_eq!(Browser::new(&server).get(&link).await.status, 404, "the link has done its work");
    let (mut admin, _) = sign_in(&server, "nora", PASSWORD).await;

    Browser::new(&server).get("/sign-up").await.must_say("Nobody can make an account here");
    let_in(&mut admin, "invitation").await;
    let form = admin.get("/admin/invitations").await;
    let made = admin.submit(&form, "/admin/invitations", &[("uses", "1"), ("days", "7")]).await;
    let code = made.html.split("/sign-up?code=").nth(1).unwrap().chars().take(16).collect::<String>();
    let invited = format!("/sign-up?code={code}");
    ask_for_account(&server, "/sign-up", "eve", &[]).await.must_say("enter the code");
    ask_for_account(&server, &invited, "ines", &[]).await.must_say("Your account is made");
    ask_for_account(&server, &invited, "eve", &[]).await.must_say("used up");

    let_in(&mut admin, "approval").await;
    ask_for_account(&server, "/sign-up", "pia", &[]).await.must_say("who you are and what brings you");
    ask_for_account(&server, "/sign-up", "pia", &[("application", "I bake.")]).await.must_say("will look at it");
    sign_in(&server, "pia", PASSWORD).await.1.must_say("still waits for approval");
    let waiting = admin.get("/admin/accounts?state=pending").await;
    admin.submit(waiting.must_say("I bake."), "/approval", &[]).await.must_say("The account is open");
    sign_in(&server, "pia", PASSWORD).await.1.must_say("My learning");

    let_in(&mut admin, "open").await;
    for handle in ["kim", "leo", "mia"] {
        ask_for_account(&server, "/sign-up", handle, &[]).await.must_say("Your account is made");
    }
    assert_eq!(ask_for_account(&server, "/sign-up", "noa", &[]).await.status, 429, "the sixth from one address");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn passwords_are_reset_by_letter_and_by_the_command_line() {
    let post = PostBox::open().await;
    let settings = format!("[mail]\nsmtp_url = \"{}\"\nfrom = \"West <west@example.test>\"\n", post.url);
    let server =
        tokio::task::spawn_blocking(move || Server::start_with("west", &Clock::new(), &settings)).await.unwrap();
    let printed = server.command(&["account", "create", "nora", "--email", "nora@example.test", "--admin"], "");
    assert!(printed.contains("nora (admin)"), "{printed}");
    let link = link_of(&server, &printed);
    choose_password(&server, &link, PASSWORD).await.must_say("Your password is changed");
    choose_password_again(&server, &link).await;
    let kim = ["account", "create", "kim", "--email", "kim@example.test", "--password-file", "-"];
    server.command(&kim, PASSWORD);
    let list = server.command(&["account", "list"], "");
    assert!(list.contains("nora") && list.contains("admin") && list.contains("kim@example.test"), "{list}");

    let (mut here, _) = sign_in(&server, "kim", PASSWORD).await;
    let (mut there, _) = sign_in(&server, "@kim", PASSWORD).await;
    let (mut third, _) = sign_in(&server, "kim@example.test", PASSWORD).await;
    let sessions = here.get("/settings/sessions").await;
    here.submit(sessions.must_say("this browser"), "/end", &[]).await;
    let alive = [there.get("/me").await.path, third.get("/me").await.path];
    assert_eq!(alive.iter().filter(|path| *path == "/me").count(), 1, "one of the others was signed out: {alive:?}");
    let form = here.get("/settings/password").await;
    let wrong = here.submit(&form, "/settings/password", &[("old", "not it"), ("password", "another long one")]).await;
    wrong.must_say("This is not your password");
    let fields = [("old", PASSWORD), ("password", "another long one")];
    here.submit(&wrong, "/settings/password", &fields).await.must_say("All other browsers are signed out");
    for other in [&mut there, &mut third] {
        assert!(other.get("/me").await.path.starts_with("/sign-in"), "a changed password ends other sessions");
    }

    let mut browser = Browser::new(&server);
    for address in ["nobody@example.test", "Kim@Example.test"] {
        let form = browser.get("/reset").await;
        browser.submit(&form, "/reset", &[("email", address)]).await.must_say("If there is an account");
    }
    let letter = post.wait_for(1).await;
    assert_eq!(letter.envelope.1, " TO:<kim@example.test>");
    assert!(letter.envelope.0.contains("<west@example.test>") && letter.text.contains("From: West <west@"));
    assert_eq!(letter.secret, "AHNjaG9vbABzZXNhbWU=", "user and password of mail.smtp_url");
    let link = link_of(&server, &letter.text);
    assert!(!server.log().contains(&link), "with a mail server, links are in letters only");
    choose_password(&server, &link, "a third long one").await.must_say("Your password is changed");
    assert!(here.get("/me").await.path.starts_with("/sign-in"), "a reset ends every session");
    sign_in(&server, "kim", "another long one").await.1.must_say("do not belong together");
    sign_in(&server, "kim", "a third long one").await.1.must_say("My learning");
    choose_password_again(&server, &link).await;
    let link = link_of(&server, &server.command(&["account", "reset-password", "kim@example.test"], ""));
    choose_password(&server, &link, PASSWORD).await.must_say("Your password is changed");
}

async fn choose_password_again(server: &Server, link: &str) {
    let page = Browser::new(server).get(link).await;
    page.must_say("used already or is older than an hour");
}
