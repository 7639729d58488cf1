-- Times are milliseconds since 1970-01-01 UTC. Ids named *_id are keys inside; public_id is random (128 bit) and may stand in a URL.
-- Words such as state, kind and role are listed with their meaning in src/README.md; documents are JSON text.

-- What administrators set while the instance runs; absent keys have their default.
CREATE TABLE settings (
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- Anyone with an inbox, here and elsewhere.
CREATE TABLE actors (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN ('person', 'course', 'bot', 'instance')),
    here BOOLEAN NOT NULL,
    uri TEXT NOT NULL UNIQUE,
    -- The page for people.
    url TEXT NOT NULL,
    handle TEXT NOT NULL,
    -- Host with port where it is not the default one.
    host TEXT NOT NULL,
    name TEXT NOT NULL,
    -- Cleaned HTML.
    summary TEXT NOT NULL,
    inbox TEXT NOT NULL,
    shared_inbox TEXT,
    outbox TEXT,
    followers TEXT,
    state TEXT NOT NULL CHECK (state IN ('active', 'limited', 'blocked', 'suspended', 'gone')),
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    -- When its document was last fetched; NULL for those here.
    fetched_at BIGINT
);
CREATE UNIQUE INDEX actors_here_handle ON actors (handle) WHERE here;
CREATE INDEX actors_here_kind ON actors (kind) WHERE here;
CREATE INDEX actors_host_handle ON actors (host, handle);

-- Public keys of everyone, private keys of those here. A retired key of somebody elsewhere verifies nothing; a retired
-- key of somebody here signs nothing and has no private half any more.
CREATE TABLE actor_keys (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    actor_id BIGINT NOT NULL REFERENCES actors (id) ON DELETE CASCADE,
    -- The keyId of signatures, the verificationMethod of proofs.
    uri TEXT NOT NULL UNIQUE,
    -- `rsa` signs requests, `ed25519` documents (FEP-521a); elsewhere either may sign requests.
    algorithm TEXT NOT NULL CHECK (algorithm IN ('rsa', 'ed25519')),
    -- SPKI PEM (of others PKCS#1, too), whatever form it had on the wire.
    public_pem TEXT NOT NULL,
    -- PKCS#8 PEM.
    private_pem TEXT,
    created_at BIGINT NOT NULL,
    -- Here: since when a newer key is the one that others are shown; this one still signs for those who do not know
    -- that one yet. NULL of a retired key: it was withdrawn at once, and what it signed cannot be checked any more.
    replaced_at BIGINT,
    retired_at BIGINT
);
CREATE INDEX actor_keys_actor ON actor_keys (actor_id);

-- Who follows whom; in both directions between here and elsewhere.
CREATE TABLE follows (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    follower_id BIGINT NOT NULL REFERENCES actors (id) ON DELETE CASCADE,
    followed_id BIGINT NOT NULL REFERENCES actors (id) ON DELETE CASCADE,
    -- The id of the Follow activity, which Accept and Undo refer to.
    uri TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'accepted')),
    created_at BIGINT NOT NULL,
    UNIQUE (follower_id, followed_id)
);
CREATE INDEX follows_followed ON follows (followed_id, state);

-- Other accounts that may move to one here: what its document says as alsoKnownAs.
CREATE TABLE actor_aliases (
    actor_id BIGINT NOT NULL REFERENCES actors (id) ON DELETE CASCADE,
    -- The ActivityPub id of the other account.
    uri TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (actor_id, uri)
);

-- The last move of a person or course, here or elsewhere.
CREATE TABLE moves (
    actor_id BIGINT PRIMARY KEY REFERENCES actors (id) ON DELETE CASCADE,
    target_id BIGINT NOT NULL REFERENCES actors (id) ON DELETE CASCADE,
    moved_at BIGINT NOT NULL,
    -- When somebody here called it off. What had gone along stays there, and the time of rest goes on.
    ended_at BIGINT
);
CREATE INDEX moves_target ON moves (target_id);

-- Sign-in of people here.
CREATE TABLE accounts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    actor_id BIGINT NOT NULL UNIQUE REFERENCES actors (id) ON DELETE RESTRICT,
    email TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('member', 'moderator', 'admin')),
    state TEXT NOT NULL CHECK (state IN ('pending', 'active', 'suspended', 'deleted')),
    -- IANA name of the zone in which times are shown.
    zone TEXT NOT NULL,
    theme TEXT NOT NULL,
    -- What the person wrote when signing up needs approval.
    application TEXT NOT NULL,
    -- What the person says about themselves, in Markdown; cleaned HTML is in the actor's summary.
    bio_md TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX accounts_state ON accounts (state, role);

-- Signed-in browsers.
CREATE TABLE sessions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    -- SHA-256 of the cookie, so that a copy of the database signs nobody in.
    token_hash TEXT NOT NULL UNIQUE,
    user_agent TEXT NOT NULL,
    address TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_account ON sessions (account_id);

-- Links that work once: set-up, password reset.
CREATE TABLE one_time_links (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    purpose TEXT NOT NULL CHECK (purpose IN ('set_up', 'reset')),
    account_id BIGINT REFERENCES accounts (id) ON DELETE CASCADE,
    token_hash TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);

-- Codes that let people sign up where sign-up is by invitation.
CREATE TABLE invitations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    code TEXT NOT NULL UNIQUE,
    created_by BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    note TEXT NOT NULL,
    max_uses BIGINT NOT NULL,
    uses BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT
);

-- Everything that happened: audit log, activity feed and raw material of statistics.
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at BIGINT NOT NULL,
    by_actor_id BIGINT,
    kind TEXT NOT NULL,
    data TEXT NOT NULL
);
CREATE INDEX events_kind ON events (kind, id);

-- Which ActivityPub id is what, and whose: for references that come in and for documents that go out.
CREATE TABLE objects (
    uri TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('assignment', 'submission', 'review_task', 'review', 'post', 'note')),
    -- Key in the table of that kind.
    local_id BIGINT NOT NULL,
    -- Who may change it.
    owner_id BIGINT NOT NULL REFERENCES actors (id) ON DELETE CASCADE,
    here BOOLEAN NOT NULL,
    public BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    -- Set when deleted: answered 410 with a Tombstone (AP 6.4).
    deleted_at BIGINT,
    -- Set when a moderator took it away: answered 404 until it is brought back.
    hidden_at BIGINT,
    -- Set when it takes no answers any more.
    locked_at BIGINT
);
CREATE INDEX objects_thing ON objects (kind, local_id);
CREATE INDEX objects_owner ON objects (owner_id);

-- What was deleted or taken back before it came: ids that shall not come to life when they arrive late (R-09).
CREATE TABLE early_ends (
    -- The id of the object or activity.
    uri TEXT NOT NULL,
    -- Who said so; it holds for what the same actor sends alone.
    actor_id BIGINT NOT NULL REFERENCES actors (id) ON DELETE CASCADE,
    -- When it was said: forgotten when the activity that said so is.
    ended_at BIGINT NOT NULL,
    PRIMARY KEY (uri, actor_id)
);
CREATE INDEX early_ends_time ON early_ends (ended_at);
CREATE INDEX early_ends_actor ON early_ends (actor_id);

-- Whose server counts other followers here than we do (FEP-8fcf).
CREATE TABLE follower_checks (
    -- Who is followed, elsewhere.
    actor_id BIGINT NOT NULL PRIMARY KEY REFERENCES actors (id) ON DELETE CASCADE,
    -- Where their server serves the list of those here, to us.
    url TEXT NOT NULL,
    -- Whether it is planned to ask for it.
    waits BOOLEAN NOT NULL,
    -- When it was asked for last; 0 for never.
    checked_at BIGINT NOT NULL
);

-- Activities that actors here sent; each can be dereferenced by those who may see it.
CREATE TABLE activities (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Not ours when a course passes on what came in.
    uri TEXT NOT NULL,
    actor_id BIGINT NOT NULL REFERENCES actors (id) ON DELETE CASCADE,
    type TEXT NOT NULL,
    -- The id of what it is about: the object of a Create, the Follow of an Accept.
    object_uri TEXT NOT NULL,
    document TEXT NOT NULL,
    public BOOLEAN NOT NULL,
    -- Whose words a course passes on with it; on one row of each relay, for limits. NULL for all else.
    relayed_for BIGINT REFERENCES actors (id) ON DELETE SET NULL,
    -- Whether it announces the beginning of a thread, whole: what the outbox of a course lists.
    top_level BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    -- Its author sends it, and a course here may pass on the same.
    UNIQUE (uri, actor_id)
);
CREATE INDEX activities_object ON activities (object_uri);
CREATE INDEX activities_relayed ON activities (actor_id, created_at) WHERE relayed_for IS NOT NULL;
CREATE INDEX activities_top_level ON activities (actor_id, id) WHERE top_level;
CREATE INDEX activities_actor ON activities (actor_id, type, public, id);

-- One row for each inbox that is to get an activity. Delivered rows stay: they say who got it, for a later Update or Delete.
CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    activity_id BIGINT NOT NULL REFERENCES activities (id) ON DELETE CASCADE,
    inbox TEXT NOT NULL,
    host TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'dropped')),
    attempts BIGINT NOT NULL,
    -- Why the last attempt failed, or why it was dropped.
    last_error TEXT,
    -- Its server answers, but chokes on this one, or on what goes before it about the same thing: not before then, so that it
    -- holds up no other. NULL: as soon as the line is due.
    held_until BIGINT,
    created_at BIGINT NOT NULL,
    done_at BIGINT,
    UNIQUE (activity_id, inbox)
);
CREATE INDEX deliveries_queue ON deliveries (host, id) WHERE state = 'pending';
CREATE INDEX deliveries_dropped ON deliveries (host, id) WHERE state = 'dropped';
CREATE INDEX deliveries_held ON deliveries (host, id) WHERE state = 'pending' AND held_until IS NOT NULL;

-- Other servers, and the state of our line to each.
CREATE TABLE peers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    host TEXT NOT NULL UNIQUE,
    -- From NodeInfo; NULL until asked.
    software TEXT,
    version TEXT,
    -- Whether it says that it reads activities wrapped in an Announce (FEP-844e: FEP-1b12).
    reads_wrapped BOOLEAN NOT NULL DEFAULT FALSE,
    -- When to ask it for this again; NULL: at once.
    ask_at BIGINT,
    -- How it takes our signatures, once it refused the other way; NULL: draft-cavage is tried first.
    scheme TEXT CHECK (scheme IN ('cavage', 'rfc9421')),
    state TEXT NOT NULL CHECK (state IN ('healthy', 'failing', 'unreachable')),
    -- When deliveries to it are due; NULL when there is nothing to send.
    due_at BIGINT,
    -- It asked not to be sent anything before then (Retry-After).
    not_before BIGINT,
    -- A worker holds the line until then.
    leased_until BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    failing_since BIGINT,
    last_success_at BIGINT,
    last_failure_at BIGINT,
    last_error TEXT,
    -- What administrators wrote down about it.
    note TEXT NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL
);
CREATE INDEX peers_due ON peers (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX peers_state ON peers (state);
-- Administrators see first which lines are not well.
CREATE INDEX peers_trouble ON peers ((state = 'healthy'), host);
CREATE INDEX peers_software ON peers (software) WHERE software IS NOT NULL;

-- What administrators decided about other servers: the most specific rule that covers a host holds.
CREATE TABLE domain_rules (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Covers itself and all below it; * covers every server that no other rule covers.
    domain TEXT NOT NULL UNIQUE,
    severity TEXT NOT NULL CHECK (severity IN ('suspend', 'limit', 'admit')),
    -- Files there are not fetched.
    reject_media BOOLEAN NOT NULL,
    -- Reports from there are not taken.
    reject_reports BOOLEAN NOT NULL,
    -- Its name is shown in part on the public page.
    obfuscate BOOLEAN NOT NULL,
    -- The reason that everyone may read; empty: the rule is not on the public page.
    public_comment TEXT NOT NULL,
    private_comment TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);

-- Activities that came in: stored before they are answered, worked on afterwards, kept so that a second one has no effect.
CREATE TABLE inbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    activity_uri TEXT NOT NULL UNIQUE,
    -- Whose it is: its actor, which is whom doors are told of. Everything of one actor is worked off in order.
    signer_id BIGINT NOT NULL REFERENCES actors (id) ON DELETE CASCADE,
    -- How it is known to be theirs: they signed the request, they proved the document (FEP-8b32), or their server says so.
    vouched TEXT NOT NULL CHECK (vouched IN ('signature', 'proof', 'origin')),
    -- Who signed the request, when it was somebody else who passed it on.
    forwarder_id BIGINT REFERENCES actors (id) ON DELETE SET NULL,
    type TEXT NOT NULL,
    body TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'done', 'refused', 'failed')),
    attempts BIGINT NOT NULL,
    next_at BIGINT NOT NULL,
    leased_until BIGINT NOT NULL,
    reason TEXT
);
CREATE INDEX inbox_queue ON inbox (next_at, id) WHERE state = 'pending';
CREATE INDEX inbox_lane ON inbox (signer_id, id) WHERE state = 'pending';
CREATE INDEX inbox_unworked ON inbox (signer_id, id) WHERE state IN ('failed', 'refused');

-- Work for later: deadlines, releases, purges.
CREATE TABLE jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    -- One job of a kind for a thing; planning it again moves it.
    subject BIGINT NOT NULL,
    run_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    leased_until BIGINT NOT NULL,
    last_error TEXT,
    UNIQUE (kind, subject)
);
CREATE INDEX jobs_due ON jobs (run_at);

-- Mail that waits to be sent.
CREATE TABLE letters (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    recipient TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    next_at BIGINT NOT NULL,
    leased_until BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    last_error TEXT
);
CREATE INDEX letters_due ON letters (next_at);

-- The lasting thing that people study; an actor, here or mirrored from elsewhere.
CREATE TABLE courses (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    actor_id BIGINT NOT NULL UNIQUE REFERENCES actors (id) ON DELETE RESTRICT,
    -- The account that writes to people for the course; NULL until a mirrored course named it.
    bot_id BIGINT REFERENCES actors (id) ON DELETE RESTRICT,
    -- Who proposed it; NULL when mirrored and not known.
    owner_id BIGINT REFERENCES actors (id) ON DELETE RESTRICT,
    state TEXT NOT NULL CHECK (state IN ('proposed', 'drafting', 'in_review', 'listed', 'archived', 'withdrawn')),
    -- One sentence.
    tagline TEXT NOT NULL,
    description_md TEXT NOT NULL,
    description_html TEXT NOT NULL,
    language TEXT NOT NULL,
    -- SPDX identifier of the licence of the syllabus.
    license TEXT NOT NULL,
    -- What a moderator answered to the proposal.
    answer TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- Since when it stands in lists; NULL of a mirrored course that is not to be found by words (FEP-5feb).
    listed_at BIGINT,
    -- What is in it is there for those alone who take part, or whose following was agreed to.
    private BOOLEAN NOT NULL DEFAULT FALSE
);
CREATE INDEX courses_state ON courses (state, listed_at);
CREATE INDEX courses_bot ON courses (bot_id);

-- Organizers: those who may change the course.
CREATE TABLE course_organizers (
    course_id BIGINT NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    actor_id BIGINT NOT NULL REFERENCES actors (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (course_id, actor_id)
);
CREATE INDEX course_organizers_actor ON course_organizers (actor_id);

-- Whom a course keeps out. A row is in force; one that ends by itself has a job.
CREATE TABLE course_bans (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    course_id BIGINT NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    actor_id BIGINT NOT NULL REFERENCES actors (id) ON DELETE CASCADE,
    -- Who decided it: an organizer, a moderator, or the Group of a mirrored course.
    by_id BIGINT NOT NULL REFERENCES actors (id) ON DELETE CASCADE,
    -- The id of the Block, which its Undo names.
    uri TEXT NOT NULL,
    reason TEXT NOT NULL,
    -- When it ends by itself; NULL for good.
    ends_at BIGINT,
    created_at BIGINT NOT NULL,
    UNIQUE (course_id, actor_id)
);
CREATE INDEX course_bans_actor ON course_bans (actor_id);

-- Posts that a course shows first, beside its open assignments.
CREATE TABLE pins (
    course_id BIGINT NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    uri TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (course_id, uri)
);

-- Every version of a syllabus; the highest number is the one in force.
CREATE TABLE syllabi (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    course_id BIGINT NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    version BIGINT NOT NULL,
    author_id BIGINT REFERENCES actors (id) ON DELETE SET NULL,
    note TEXT NOT NULL,
    -- Units with their tasks and licensed resources.
    document TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (course_id, version)
);

-- Runs of a course.
CREATE TABLE cohorts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    public_id TEXT NOT NULL UNIQUE,
    course_id BIGINT NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    -- Calendar days in the cohort's zone, as 2026-09-15.
    starts_on TEXT NOT NULL,
    ends_on TEXT NOT NULL,
    zone TEXT NOT NULL,
    seats BIGINT NOT NULL,
    -- open: everyone who asks gets a seat; moderated: a facilitator decides.
    enrolling TEXT NOT NULL CHECK (enrolling IN ('open', 'moderated')),
    state TEXT NOT NULL CHECK (state IN ('planned', 'open', 'full', 'running', 'completed', 'cancelled', 'did_not_happen', 'archived')),
    created_at BIGINT NOT NULL
);
CREATE INDEX cohorts_course ON cohorts (course_id, state);

-- People's places in cohorts.
CREATE TABLE enrollments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    public_id TEXT NOT NULL UNIQUE,
    cohort_id BIGINT NOT NULL REFERENCES cohorts (id) ON DELETE CASCADE,
    actor_id BIGINT NOT NULL REFERENCES actors (id) ON DELETE CASCADE,
    role TEXT NOT NULL CHECK (role IN ('learner', 'organizer', 'facilitator', 'mentor', 'observer')),
    -- asked: sent to the course's home, which has not answered yet (mirrored courses only).
    state TEXT NOT NULL CHECK (state IN ('asked', 'applied', 'waitlisted', 'active', 'dormant', 'completed', 'left', 'removed', 'declined')),
    -- The Join activity that is to be answered; NULL when asked otherwise.
    join_uri TEXT,
    message TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    UNIQUE (cohort_id, actor_id)
);
CREATE INDEX enrollments_actor ON enrollments (actor_id, state);
-- The roster in its order; with the role, places are counted by the index alone.
CREATE INDEX enrollments_list ON enrollments (cohort_id, state, created_at, id, role);
CREATE INDEX enrollments_join ON enrollments (join_uri);

-- What is asked, by when, with which rubric.
CREATE TABLE assignments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    public_id TEXT NOT NULL UNIQUE,
    uri TEXT NOT NULL UNIQUE,
    cohort_id BIGINT NOT NULL REFERENCES cohorts (id) ON DELETE CASCADE,
    author_id BIGINT NOT NULL REFERENCES actors (id) ON DELETE RESTRICT,
    title TEXT NOT NULL,
    -- One plain sentence that names the task; what microblogs show.
    summary TEXT NOT NULL,
    body_md TEXT NOT NULL,
    body_html TEXT NOT NULL,
    -- Criteria with their levels; frozen with its hash when the assignment opens.
    rubric TEXT NOT NULL,
    rubric_hash TEXT NOT NULL,
    reviews_each BIGINT NOT NULL,
    -- private: only the course sees submissions; public: they may be public posts.
    visibility TEXT NOT NULL CHECK (visibility IN ('private', 'public')),
    due_at BIGINT NOT NULL,
    review_due_at BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('draft', 'open', 'review', 'released', 'closed')),
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    opened_at BIGINT,
    released_at BIGINT
);
CREATE INDEX assignments_cohort ON assignments (cohort_id, state, due_at);

-- What a person handed in for an assignment.
CREATE TABLE submissions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    public_id TEXT NOT NULL UNIQUE,
    uri TEXT NOT NULL UNIQUE,
    assignment_id BIGINT NOT NULL REFERENCES assignments (id) ON DELETE CASCADE,
    author_id BIGINT NOT NULL REFERENCES actors (id) ON DELETE CASCADE,
    private BOOLEAN NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('draft', 'submitted', 'late', 'under_review', 'released', 'withdrawn', 'voided')),
    -- What the course's home said: for work that was sent there from here.
    answer TEXT NOT NULL CHECK (answer IN ('home', 'sent', 'received', 'refused')),
    answer_reason TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    UNIQUE (assignment_id, author_id)
);
CREATE INDEX submissions_author ON submissions (author_id);

-- Every version of it.
CREATE TABLE revisions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    submission_id BIGINT NOT NULL REFERENCES submissions (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    -- Empty when it came as HTML from elsewhere.
    body_md TEXT NOT NULL,
    body_html TEXT NOT NULL,
    -- Receipt time at the home decides what is late.
    late BOOLEAN NOT NULL,
    received_at BIGINT NOT NULL,
    UNIQUE (submission_id, number)
);

-- Files that people handed in or attached; the bytes are in the media folder under the public id.
CREATE TABLE media (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    public_id TEXT NOT NULL UNIQUE,
    owner_id BIGINT NOT NULL REFERENCES actors (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    -- Where it is when it is kept elsewhere; NULL when the bytes are here.
    remote_url TEXT,
    created_at BIGINT NOT NULL
);
CREATE INDEX media_owner ON media (owner_id, created_at);

CREATE TABLE revision_media (
    revision_id BIGINT NOT NULL REFERENCES revisions (id) ON DELETE CASCADE,
    media_id BIGINT NOT NULL REFERENCES media (id) ON DELETE CASCADE,
    PRIMARY KEY (revision_id, media_id)
);
CREATE INDEX revision_media_media ON revision_media (media_id);

-- Who shall review what, until when: decided by the course's home.
CREATE TABLE allocations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    public_id TEXT NOT NULL UNIQUE,
    -- The id of the task note that the reviewer gets.
    uri TEXT NOT NULL UNIQUE,
    submission_id BIGINT NOT NULL REFERENCES submissions (id) ON DELETE CASCADE,
    revision_id BIGINT NOT NULL REFERENCES revisions (id) ON DELETE CASCADE,
    reviewer_id BIGINT NOT NULL REFERENCES actors (id) ON DELETE CASCADE,
    state TEXT NOT NULL CHECK (state IN ('offered', 'accepted', 'submitted', 'declined', 'expired', 'voided')),
    due_at BIGINT NOT NULL,
    -- What came so far, where it comes by votes: level ordinal by criterion id, and words.
    begun_levels TEXT NOT NULL DEFAULT '{}',
    begun_comment TEXT NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    UNIQUE (submission_id, reviewer_id)
);
CREATE INDEX allocations_reviewer ON allocations (reviewer_id, state);

-- One peer's levels and comment on one submission.
CREATE TABLE reviews (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    public_id TEXT NOT NULL UNIQUE,
    uri TEXT NOT NULL UNIQUE,
    allocation_id BIGINT NOT NULL UNIQUE REFERENCES allocations (id) ON DELETE CASCADE,
    -- Level ordinal by criterion id.
    levels TEXT NOT NULL,
    comment_html TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('drafted', 'submitted', 'released', 'disputed', 'upheld', 'amended')),
    given_at BIGINT NOT NULL,
    released_at BIGINT
);

-- What the reviews of a submission come to.
CREATE TABLE results (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    submission_id BIGINT NOT NULL UNIQUE REFERENCES submissions (id) ON DELETE CASCADE,
    -- Median, mean and number of reviews by criterion.
    document TEXT NOT NULL,
    points DOUBLE PRECISION NOT NULL,
    max_points DOUBLE PRECISION NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'provisional', 'final', 'appealed', 'overridden')),
    override_points DOUBLE PRECISION,
    override_reason TEXT NOT NULL,
    decided_by BIGINT REFERENCES actors (id) ON DELETE SET NULL,
    computed_at BIGINT NOT NULL
);

-- Review tasks that the home of a mirrored course gave to people here.
CREATE TABLE review_tasks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    public_id TEXT NOT NULL UNIQUE,
    uri TEXT NOT NULL UNIQUE,
    assignment_id BIGINT NOT NULL REFERENCES assignments (id) ON DELETE CASCADE,
    reviewer_id BIGINT NOT NULL REFERENCES actors (id) ON DELETE CASCADE,
    -- The anonymised work.
    copy_html TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('offered', 'sent', 'received', 'refused', 'voided')),
    answer_reason TEXT NOT NULL,
    -- The id of the review that was sent; NULL until then.
    review_uri TEXT,
    levels TEXT NOT NULL,
    comment_html TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX review_tasks_reviewer ON review_tasks (reviewer_id, state);

-- Released reviews that people here got from the home of a mirrored course.
CREATE TABLE feedback (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uri TEXT NOT NULL UNIQUE,
    submission_id BIGINT NOT NULL REFERENCES submissions (id) ON DELETE CASCADE,
    -- The pseudonym: A, B, C.
    label TEXT NOT NULL,
    levels TEXT NOT NULL,
    comment_html TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX feedback_submission ON feedback (submission_id);

-- Discussion in a course, from anywhere.
CREATE TABLE posts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    public_id TEXT NOT NULL UNIQUE,
    uri TEXT NOT NULL UNIQUE,
    course_id BIGINT NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    author_id BIGINT NOT NULL REFERENCES actors (id) ON DELETE CASCADE,
    -- The first post of its thread; NULL for that post itself and for replies to an assignment.
    thread_id BIGINT REFERENCES posts (id) ON DELETE CASCADE,
    -- The assignment that it and its thread are about; NULL in the open discussion.
    assignment_id BIGINT REFERENCES assignments (id) ON DELETE SET NULL,
    in_reply_to TEXT,
    title TEXT NOT NULL,
    body_md TEXT NOT NULL,
    body_html TEXT NOT NULL,
    published_at BIGINT NOT NULL,
    edited_at BIGINT,
    deleted_at BIGINT,
    -- Why an organizer took it away; empty when its author deleted it.
    removal TEXT NOT NULL,
    -- Whether it went with a ban from the course, and comes back with its end.
    by_ban BOOLEAN NOT NULL DEFAULT FALSE,
    -- When the course passed it on; NULL while its home has not (mirrored courses only).
    announced_at BIGINT,
    -- When somebody last wrote in the thread; NULL for replies and for threads that are not listed any more.
    active_at BIGINT,
    -- When its row last changed in whatever way, by our clock.
    changed_at BIGINT NOT NULL,
    -- First posts of threads: when missed answers were last looked for elsewhere.
    pulled_at BIGINT
);
CREATE INDEX posts_course ON posts (course_id, active_at, id) WHERE active_at IS NOT NULL;
CREATE INDEX posts_changed ON posts (course_id, changed_at, id);
CREATE INDEX posts_author ON posts (author_id, id);
CREATE INDEX posts_assignment ON posts (assignment_id, published_at);
CREATE INDEX posts_parent ON posts (in_reply_to, published_at);
CREATE INDEX posts_thread ON posts (thread_id, published_at);

-- How far the mirrors of courses of other servers are.
CREATE TABLE mirrors (
    course_id BIGINT PRIMARY KEY REFERENCES courses (id) ON DELETE CASCADE,
    -- When it was last brought up to date as a whole, by our clock.
    pulled_at BIGINT NOT NULL,
    -- The last change that was taken over, by the clock of the course's home; NULL where that is not told.
    change BIGINT
);

-- Posts to a course by people who neither take part nor follow: an organizer lets them in or refuses them.
CREATE TABLE held_posts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    public_id TEXT NOT NULL UNIQUE,
    course_id BIGINT NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    author_id BIGINT NOT NULL REFERENCES actors (id) ON DELETE CASCADE,
    uri TEXT NOT NULL UNIQUE,
    in_reply_to TEXT,
    -- What it answers as far as that is known here: the nearest post or assignment above it.
    anchor TEXT,
    title TEXT NOT NULL,
    body_html TEXT NOT NULL,
    published_at BIGINT NOT NULL,
    -- The Create as it came, to be passed on unchanged, and the newest Update.
    activity TEXT NOT NULL,
    later_activity TEXT,
    received_at BIGINT NOT NULL
);
CREATE INDEX held_posts_course ON held_posts (course_id, id);
CREATE INDEX held_posts_author ON held_posts (author_id);

-- Direct notes that were written for a course to one person: welcome, receipt, task, result.
CREATE TABLE notes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    public_id TEXT NOT NULL UNIQUE,
    uri TEXT NOT NULL UNIQUE,
    course_id BIGINT NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    recipient_id BIGINT NOT NULL REFERENCES actors (id) ON DELETE CASCADE,
    -- welcome, receipt, refusal, task, review, result, other
    about TEXT NOT NULL,
    -- One note of a kind for a thing and recipient, where one is enough.
    once_key TEXT UNIQUE,
    document TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX notes_recipient ON notes (recipient_id, id);

-- What people here are told.
CREATE TABLE notices (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    actor_id BIGINT NOT NULL REFERENCES actors (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    text TEXT NOT NULL,
    -- A path on this instance.
    link TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at BIGINT
);
CREATE INDEX notices_actor ON notices (actor_id, id);
CREATE INDEX notices_unseen ON notices (actor_id) WHERE seen_at IS NULL;

-- Complaints about a person, a post or a course, made here or sent by other servers.
CREATE TABLE reports (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    public_id TEXT NOT NULL UNIQUE,
    -- The id of the Flag, when it came from elsewhere.
    uri TEXT UNIQUE,
    -- Who reported; of some software only its server is known.
    reporter_id BIGINT NOT NULL REFERENCES actors (id) ON DELETE CASCADE,
    -- Who is complained of: a person, or the Group of a course.
    accused_id BIGINT NOT NULL REFERENCES actors (id) ON DELETE CASCADE,
    -- The id of what is complained of: a post, or the accused.
    subject_uri TEXT NOT NULL,
    -- In which course it happened; NULL when in none.
    course_id BIGINT REFERENCES courses (id) ON DELETE SET NULL,
    category TEXT NOT NULL CHECK (category IN ('spam', 'harassment', 'illegal', 'rules', 'other')),
    text TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'dismissed', 'resolved')),
    -- What was done; NULL while it is open.
    decision TEXT CHECK (decision IN ('dismiss', 'remove', 'ban', 'suspend')),
    -- What the reporter was told.
    answer TEXT NOT NULL,
    -- Who looks after it.
    assignee_id BIGINT REFERENCES actors (id) ON DELETE SET NULL,
    -- When it was passed on to the server of the accused.
    forwarded_at BIGINT,
    -- The words that went with it; empty until then.
    forwarded_text TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);
CREATE INDEX reports_state ON reports (state, id);
CREATE INDEX reports_course ON reports (course_id, state, id);
CREATE INDEX reports_accused ON reports (accused_id, id);
CREATE INDEX reports_reporter ON reports (reporter_id, created_at);

-- What was complained of, as it was when it was reported.
CREATE TABLE report_evidence (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    report_id BIGINT NOT NULL REFERENCES reports (id) ON DELETE CASCADE,
    -- Its ActivityPub id.
    uri TEXT NOT NULL,
    title TEXT NOT NULL,
    body_html TEXT NOT NULL,
    -- When it was written; NULL for a person or course.
    published_at BIGINT
);
CREATE INDEX report_evidence_report ON report_evidence (report_id, id);

-- What those who look after a report tell each other.
CREATE TABLE report_notes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    report_id BIGINT NOT NULL REFERENCES reports (id) ON DELETE CASCADE,
    author_id BIGINT NOT NULL REFERENCES actors (id) ON DELETE CASCADE,
    text TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX report_notes_report ON report_notes (report_id, id);

-- The log of moderation: every act, and never changed.
CREATE TABLE rulings (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at BIGINT NOT NULL,
    -- Who did it; NULL when time did.
    by_id BIGINT REFERENCES actors (id) ON DELETE SET NULL,
    act TEXT NOT NULL,
    -- In which course; NULL for the whole instance.
    course_id BIGINT REFERENCES courses (id) ON DELETE SET NULL,
    -- Whom it concerns.
    subject_id BIGINT REFERENCES actors (id) ON DELETE SET NULL,
    -- A path on this instance that shows it; empty when there is none.
    link TEXT NOT NULL,
    reason TEXT NOT NULL
);
CREATE INDEX rulings_course ON rulings (course_id, id);
