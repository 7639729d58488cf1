//! P5: does it stay as fast when there is much of everything?

use crate::server::Place;
use crate::table::Table;
use diesel::RunQueryDsl;
use diesel::connection::SimpleConnection;
use hedgeschool::clock::Clock;

/// How much is on the server beside the school that is measured.
#[derive(Clone, Copy)]
pub struct Plenty {
    pub actors: u32,
    pub courses: u32,
    pub posts: u32,
    pub deliveries: u32,
}

pub const FULL: Plenty = Plenty { actors: 100_000, courses: 10_000, posts: 1_000_000, deliveries: 1_000_000 };
/// Beside which the grown one stands: every list already fills its page.
pub const SMALL: Plenty = Plenty { actors: 400, courses: 40, posts: 2000, deliveries: 2000 };
pub const QUICK: Plenty = Plenty { actors: 1000, courses: 100, posts: 5000, deliveries: 5000 };

/// Figures of the grown server may be so many times worse.
const FACTOR: f64 = 1.3;

/// Servers that all of this came from.
const HOSTS: u32 = 2000;
/// Ids from which on the rows of plenty are numbered: above those of the school.
const FROM: u32 = 1_000_000;
/// Every so many posts begin a thread.
const THREAD: u32 = 10;
/// Each activity went to so many inboxes.
const INBOXES: u32 = 10;

/// Fills the database with what years leave behind: people and courses of other servers, threads, what was sent.
/// By statements, not by verbs, because a million verbs take an hour; each row has the shape that the verbs give it.
pub fn fill(place: &Place, plenty: Plenty) {
    let now = Clock::System.now().0;
    let mut db = place.database.open(true).unwrap();
    db.batch_execute("BEGIN").unwrap();
    for statement in statements(plenty, now) {
        diesel::sql_query(statement).execute(&mut db).unwrap();
    }
    db.batch_execute("COMMIT").unwrap();
    db.batch_execute("ANALYZE").unwrap();
}

#[expect(clippy::too_many_lines, reason = "a table of statements")]
fn statements(plenty: Plenty, now: i64) -> [String; 9] {
    let Plenty { actors, courses, posts, deliveries } = plenty;
    let activities = deliveries / INBOXES;
    let (last, of) = (FROM + actors, format!("{FROM} + n % {courses}"));
    [
        rows(HOSTS, &format!(
            "INSERT INTO peers (host, software, version, asked_at, state, leased_until, failures, last_success_at, created_at)
             SELECT 'h' || n || '.example', 'mastodon', '4.5.0', {now}, 'healthy', 0, 0, {now}, {now} FROM counted"
        )),
        rows(actors, &format!(
            "INSERT INTO actors (id, kind, here, uri, url, handle, host, name, summary, inbox, shared_inbox, followers, state,
                created_at, updated_at, fetched_at)
             SELECT {FROM} + n, CASE WHEN n < {courses} THEN 'course' ELSE 'person' END, false,
                'https://h' || (n % {HOSTS}) || '.example/users/u' || n, 'https://h' || (n % {HOSTS}) || '.example/@u' || n,
                'u' || n, 'h' || (n % {HOSTS}) || '.example', 'Somebody called ' || n, '<p>Learns, teaches and reads.</p>',
                'https://h' || (n % {HOSTS}) || '.example/users/u' || n || '/inbox',
                'https://h' || (n % {HOSTS}) || '.example/inbox',
                'https://h' || (n % {HOSTS}) || '.example/users/u' || n || '/followers', 'active', {now}, {now}, {now}
             FROM counted"
        )),
        rows(courses, &format!(
            "INSERT INTO courses (id, actor_id, state, tagline, description_md, description_html, language, license, answer,
                created_at, listed_at)
             SELECT {FROM} + n, {FROM} + n, 'listed', 'Learn what number ' || n || ' teaches', '',
                '<p>We meet, read and try.</p>', 'en', 'CC-BY-4.0', '', {now} - n * 1000 - 86400000, {now} - n * 1000 - 86400000
             FROM counted"
        )),
        rows(actors, &format!(
            "INSERT INTO follows (follower_id, followed_id, uri, state, created_at)
             SELECT {last} - n, {of}, 'https://h' || (n % {HOSTS}) || '.example/follows/' || n, 'accepted', {now}
             FROM counted WHERE n > 0 AND {last} - n >= {FROM} + {courses}"
        )),
        rows(posts, &format!(
            "INSERT INTO posts (id, public_id, uri, course_id, author_id, thread_id, in_reply_to, title, body_md, body_html,
                published_at, removal, announced_at, active_at, changed_at)
             SELECT {FROM} + n, 'plenty' || n, 'https://h' || (n % {HOSTS}) || '.example/posts/' || n,
                {FROM} + n / {THREAD} % {courses}, {FROM} + {courses} + n % ({actors} - {courses}),
                CASE WHEN n % {THREAD} = 0 THEN NULL ELSE {FROM} + n - n % {THREAD} END,
                CASE WHEN n % {THREAD} = 0 THEN NULL ELSE 'https://h' || ((n - 1) % {HOSTS}) || '.example/posts/' || (n - 1) END,
                CASE WHEN n % {THREAD} = 0 THEN 'Question ' || n ELSE '' END, '', '<p>What do you make of it?</p>',
                {now} - ({posts} - n) * 1000, '', {now}, CASE WHEN n % {THREAD} = 0 THEN {now} - ({posts} - n) * 1000 END,
                {now} - ({posts} - n) * 1000
             FROM counted"
        )),
        rows(posts, &format!(
            "INSERT INTO objects (uri, kind, local_id, owner_id, here, public, created_at)
             SELECT 'https://h' || (n % {HOSTS}) || '.example/posts/' || n, 'post', {FROM} + n,
                {FROM} + {courses} + n % ({actors} - {courses}), false, true, {now} FROM counted"
        )),
        rows(activities, &format!(
            "INSERT INTO activities (id, uri, actor_id, type, object_uri, document, public, top_level, created_at)
             SELECT {FROM} + n, 'https://us.example/a/' || n, {of}, 'Announce',
                'https://h' || (n % {HOSTS}) || '.example/posts/' || n,
                '{{\"type\":\"Announce\",\"id\":\"https://us.example/a/' || n || '\"}}', true, n % {THREAD} = 0,
                {now} - ({activities} - n) * 1000
             FROM counted"
        )),
        rows(deliveries, &format!(
            "INSERT INTO deliveries (activity_id, inbox, host, state, attempts, created_at, done_at)
             SELECT {FROM} + n / {INBOXES}, 'https://h' || (n % {HOSTS}) || '.example/inbox', 'h' || (n % {HOSTS}) || '.example',
                'delivered', 1, {now} - ({deliveries} - n) * 100, {now}
             FROM counted"
        )),
        rows(posts, &format!(
            "INSERT INTO inbox (activity_uri, signer_id, vouched, type, body, received_at, state, attempts, next_at,
                leased_until)
             SELECT 'https://h' || (n % {HOSTS}) || '.example/posts/' || n || '/activity',
                {FROM} + {courses} + n % ({actors} - {courses}), 'signature', 'Create', '{{}}', {now}, 'done', 1, {now}, 0
             FROM counted"
        )),
    ]
}

/// The statement over the numbers from 0 to `count` - 1; both databases know this form.
fn rows(count: u32, insert: &str) -> String {
    let (into, select) = insert.split_once("SELECT").unwrap();
    format!(
        "{into} WITH RECURSIVE counted (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM counted WHERE n + 1 < {count})
         SELECT{select}"
    )
}

/// How many times worse each figure of the grown server is than that of the small one.
pub fn compare(table: &mut Table, small: &Table, grown: &Table) {
    for (what, times) in grown.times_worse_than(small) {
        table.add_factor("P5", what, times, FACTOR);
    }
}
