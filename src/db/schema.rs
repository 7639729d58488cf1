//! Which tables and columns are there? Written from `migrations/`, for both databases alike.

#![expect(missing_docs, reason = "the columns are described in the migrations")]

diesel::table! {
    settings (key) {
        key -> Text,
        value -> Text,
    }
}

diesel::table! {
    actors (id) {
        id -> BigInt,
        kind -> Text,
        here -> Bool,
        uri -> Text,
        url -> Text,
        handle -> Text,
        host -> Text,
        name -> Text,
        summary -> Text,
        inbox -> Text,
        shared_inbox -> Nullable<Text>,
        outbox -> Nullable<Text>,
        followers -> Nullable<Text>,
        state -> Text,
        created_at -> BigInt,
        updated_at -> BigInt,
        fetched_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    actor_keys (id) {
        id -> BigInt,
        actor_id -> BigInt,
        uri -> Text,
        algorithm -> Text,
        public_pem -> Text,
        private_pem -> Nullable<Text>,
        created_at -> BigInt,
        replaced_at -> Nullable<BigInt>,
        retired_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    actor_aliases (actor_id, uri) {
        actor_id -> BigInt,
        uri -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    moves (actor_id) {
        actor_id -> BigInt,
        target_id -> BigInt,
        moved_at -> BigInt,
        ended_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    follows (id) {
        id -> BigInt,
        follower_id -> BigInt,
        followed_id -> BigInt,
        uri -> Text,
        state -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    accounts (id) {
        id -> BigInt,
        actor_id -> BigInt,
        email -> Text,
        password_hash -> Text,
        role -> Text,
        state -> Text,
        zone -> Text,
        theme -> Text,
        application -> Text,
        bio_md -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    sessions (id) {
        id -> BigInt,
        account_id -> BigInt,
        token_hash -> Text,
        user_agent -> Text,
        address -> Text,
        created_at -> BigInt,
        seen_at -> BigInt,
        expires_at -> BigInt,
    }
}

diesel::table! {
    one_time_links (id) {
        id -> BigInt,
        purpose -> Text,
        account_id -> Nullable<BigInt>,
        token_hash -> Text,
        created_at -> BigInt,
        expires_at -> BigInt,
        used_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    invitations (id) {
        id -> BigInt,
        code -> Text,
        created_by -> BigInt,
        note -> Text,
        max_uses -> BigInt,
        uses -> BigInt,
        created_at -> BigInt,
        expires_at -> BigInt,
        revoked_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    events (id) {
        id -> BigInt,
        at -> BigInt,
        by_actor_id -> Nullable<BigInt>,
        kind -> Text,
        data -> Text,
    }
}

diesel::table! {
    objects (uri) {
        uri -> Text,
        kind -> Text,
        local_id -> BigInt,
        owner_id -> BigInt,
        here -> Bool,
        public -> Bool,
        created_at -> BigInt,
        deleted_at -> Nullable<BigInt>,
        hidden_at -> Nullable<BigInt>,
        locked_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    early_ends (uri, actor_id) {
        uri -> Text,
        actor_id -> BigInt,
        ended_at -> BigInt,
    }
}

diesel::table! {
    follower_checks (actor_id) {
        actor_id -> BigInt,
        url -> Text,
        waits -> Bool,
        checked_at -> BigInt,
    }
}

diesel::table! {
    activities (id) {
        id -> BigInt,
        uri -> Text,
        actor_id -> BigInt,
        #[sql_name = "type"]
        type_ -> Text,
        object_uri -> Text,
        document -> Text,
        public -> Bool,
        relayed_for -> Nullable<BigInt>,
        top_level -> Bool,
        created_at -> BigInt,
    }
}

diesel::table! {
    deliveries (id) {
        id -> BigInt,
        activity_id -> BigInt,
        inbox -> Text,
        host -> Text,
        state -> Text,
        attempts -> BigInt,
        last_error -> Nullable<Text>,
        held_until -> Nullable<BigInt>,
        created_at -> BigInt,
        done_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    peers (id) {
        id -> BigInt,
        host -> Text,
        software -> Nullable<Text>,
        version -> Nullable<Text>,
        reads_wrapped -> Bool,
        ask_at -> Nullable<BigInt>,
        scheme -> Nullable<Text>,
        state -> Text,
        due_at -> Nullable<BigInt>,
        not_before -> Nullable<BigInt>,
        leased_until -> BigInt,
        failures -> BigInt,
        failing_since -> Nullable<BigInt>,
        last_success_at -> Nullable<BigInt>,
        last_failure_at -> Nullable<BigInt>,
        last_error -> Nullable<Text>,
        note -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    domain_rules (id) {
        id -> BigInt,
        domain -> Text,
        severity -> Text,
        reject_media -> Bool,
        reject_reports -> Bool,
        obfuscate -> Bool,
        public_comment -> Text,
        private_comment -> Text,
        created_at -> BigInt,
        changed_at -> BigInt,
    }
}

diesel::table! {
    inbox (id) {
        id -> BigInt,
        activity_uri -> Text,
        signer_id -> BigInt,
        vouched -> Text,
        forwarder_id -> Nullable<BigInt>,
        #[sql_name = "type"]
        type_ -> Text,
        body -> Text,
        received_at -> BigInt,
        state -> Text,
        attempts -> BigInt,
        next_at -> BigInt,
        leased_until -> BigInt,
        reason -> Nullable<Text>,
    }
}

diesel::table! {
    jobs (id) {
        id -> BigInt,
        kind -> Text,
        subject -> BigInt,
        run_at -> BigInt,
        attempts -> BigInt,
        leased_until -> BigInt,
        last_error -> Nullable<Text>,
    }
}

diesel::table! {
    letters (id) {
        id -> BigInt,
        recipient -> Text,
        subject -> Text,
        body -> Text,
        created_at -> BigInt,
        next_at -> BigInt,
        leased_until -> BigInt,
        attempts -> BigInt,
        last_error -> Nullable<Text>,
    }
}

diesel::table! {
    courses (id) {
        id -> BigInt,
        actor_id -> BigInt,
        bot_id -> Nullable<BigInt>,
        owner_id -> Nullable<BigInt>,
        state -> Text,
        tagline -> Text,
        description_md -> Text,
        description_html -> Text,
        language -> Text,
        license -> Text,
        answer -> Text,
        created_at -> BigInt,
        listed_at -> Nullable<BigInt>,
        private -> Bool,
    }
}

diesel::table! {
    course_organizers (course_id, actor_id) {
        course_id -> BigInt,
        actor_id -> BigInt,
        created_at -> BigInt,
    }
}

diesel::table! {
    course_bans (id) {
        id -> BigInt,
        course_id -> BigInt,
        actor_id -> BigInt,
        by_id -> BigInt,
        uri -> Text,
        reason -> Text,
        ends_at -> Nullable<BigInt>,
        created_at -> BigInt,
    }
}

diesel::table! {
    pins (course_id, uri) {
        course_id -> BigInt,
        uri -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    syllabi (id) {
        id -> BigInt,
        course_id -> BigInt,
        version -> BigInt,
        author_id -> Nullable<BigInt>,
        note -> Text,
        document -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    cohorts (id) {
        id -> BigInt,
        public_id -> Text,
        course_id -> BigInt,
        name -> Text,
        starts_on -> Text,
        ends_on -> Text,
        zone -> Text,
        seats -> BigInt,
        enrolling -> Text,
        state -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    enrollments (id) {
        id -> BigInt,
        public_id -> Text,
        cohort_id -> BigInt,
        actor_id -> BigInt,
        role -> Text,
        state -> Text,
        join_uri -> Nullable<Text>,
        message -> Text,
        created_at -> BigInt,
        changed_at -> BigInt,
    }
}

diesel::table! {
    assignments (id) {
        id -> BigInt,
        public_id -> Text,
        uri -> Text,
        cohort_id -> BigInt,
        author_id -> BigInt,
        title -> Text,
        summary -> Text,
        body_md -> Text,
        body_html -> Text,
        rubric -> Text,
        rubric_hash -> Text,
        reviews_each -> BigInt,
        visibility -> Text,
        due_at -> BigInt,
        review_due_at -> BigInt,
        state -> Text,
        created_at -> BigInt,
        updated_at -> BigInt,
        opened_at -> Nullable<BigInt>,
        released_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    submissions (id) {
        id -> BigInt,
        public_id -> Text,
        uri -> Text,
        assignment_id -> BigInt,
        author_id -> BigInt,
        private -> Bool,
        state -> Text,
        answer -> Text,
        answer_reason -> Text,
        created_at -> BigInt,
        changed_at -> BigInt,
    }
}

diesel::table! {
    revisions (id) {
        id -> BigInt,
        submission_id -> BigInt,
        number -> BigInt,
        body_md -> Text,
        body_html -> Text,
        late -> Bool,
        received_at -> BigInt,
    }
}

diesel::table! {
    media (id) {
        id -> BigInt,
        public_id -> Text,
        owner_id -> BigInt,
        name -> Text,
        media_type -> Text,
        size -> BigInt,
        sha256 -> Text,
        remote_url -> Nullable<Text>,
        created_at -> BigInt,
    }
}

diesel::table! {
    revision_media (revision_id, media_id) {
        revision_id -> BigInt,
        media_id -> BigInt,
    }
}

diesel::table! {
    allocations (id) {
        id -> BigInt,
        public_id -> Text,
        uri -> Text,
        submission_id -> BigInt,
        revision_id -> BigInt,
        reviewer_id -> BigInt,
        state -> Text,
        due_at -> BigInt,
        begun_levels -> Text,
        begun_comment -> Text,
        created_at -> BigInt,
        changed_at -> BigInt,
    }
}

diesel::table! {
    reviews (id) {
        id -> BigInt,
        public_id -> Text,
        uri -> Text,
        allocation_id -> BigInt,
        levels -> Text,
        comment_html -> Text,
        state -> Text,
        given_at -> BigInt,
        released_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    results (id) {
        id -> BigInt,
        submission_id -> BigInt,
        document -> Text,
        points -> Double,
        max_points -> Double,
        state -> Text,
        override_points -> Nullable<Double>,
        override_reason -> Text,
        decided_by -> Nullable<BigInt>,
        computed_at -> BigInt,
    }
}

diesel::table! {
    review_tasks (id) {
        id -> BigInt,
        public_id -> Text,
        uri -> Text,
        assignment_id -> BigInt,
        reviewer_id -> BigInt,
        copy_html -> Text,
        state -> Text,
        answer_reason -> Text,
        review_uri -> Nullable<Text>,
        levels -> Text,
        comment_html -> Text,
        due_at -> BigInt,
        created_at -> BigInt,
    }
}

diesel::table! {
    feedback (id) {
        id -> BigInt,
        uri -> Text,
        submission_id -> BigInt,
        label -> Text,
        levels -> Text,
        comment_html -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    posts (id) {
        id -> BigInt,
        public_id -> Text,
        uri -> Text,
        course_id -> BigInt,
        author_id -> BigInt,
        thread_id -> Nullable<BigInt>,
        assignment_id -> Nullable<BigInt>,
        in_reply_to -> Nullable<Text>,
        title -> Text,
        body_md -> Text,
        body_html -> Text,
        published_at -> BigInt,
        edited_at -> Nullable<BigInt>,
        deleted_at -> Nullable<BigInt>,
        removal -> Text,
        by_ban -> Bool,
        announced_at -> Nullable<BigInt>,
        active_at -> Nullable<BigInt>,
        changed_at -> BigInt,
        pulled_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    mirrors (course_id) {
        course_id -> BigInt,
        pulled_at -> BigInt,
        change -> Nullable<BigInt>,
    }
}

diesel::table! {
    held_posts (id) {
        id -> BigInt,
        public_id -> Text,
        course_id -> BigInt,
        author_id -> BigInt,
        uri -> Text,
        in_reply_to -> Nullable<Text>,
        anchor -> Nullable<Text>,
        title -> Text,
        body_html -> Text,
        published_at -> BigInt,
        activity -> Text,
        later_activity -> Nullable<Text>,
        received_at -> BigInt,
    }
}

diesel::table! {
    notes (id) {
        id -> BigInt,
        public_id -> Text,
        uri -> Text,
        course_id -> BigInt,
        recipient_id -> BigInt,
        about -> Text,
        once_key -> Nullable<Text>,
        document -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    notices (id) {
        id -> BigInt,
        actor_id -> BigInt,
        kind -> Text,
        text -> Text,
        link -> Text,
        created_at -> BigInt,
        seen_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    reports (id) {
        id -> BigInt,
        public_id -> Text,
        uri -> Nullable<Text>,
        reporter_id -> BigInt,
        accused_id -> BigInt,
        subject_uri -> Text,
        course_id -> Nullable<BigInt>,
        category -> Text,
        text -> Text,
        state -> Text,
        decision -> Nullable<Text>,
        answer -> Text,
        assignee_id -> Nullable<BigInt>,
        forwarded_at -> Nullable<BigInt>,
        forwarded_text -> Text,
        created_at -> BigInt,
        changed_at -> BigInt,
    }
}

diesel::table! {
    report_evidence (id) {
        id -> BigInt,
        report_id -> BigInt,
        uri -> Text,
        title -> Text,
        body_html -> Text,
        published_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    report_notes (id) {
        id -> BigInt,
        report_id -> BigInt,
        author_id -> BigInt,
        text -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    rulings (id) {
        id -> BigInt,
        at -> BigInt,
        by_id -> Nullable<BigInt>,
        act -> Text,
        course_id -> Nullable<BigInt>,
        subject_id -> Nullable<BigInt>,
        link -> Text,
        reason -> Text,
    }
}

diesel::joinable!(accounts -> actors (actor_id));
diesel::joinable!(sessions -> accounts (account_id));

diesel::allow_tables_to_appear_in_same_query!(
    settings,
    actors,
    actor_keys,
    actor_aliases,
    moves,
    follows,
    accounts,
    sessions,
    one_time_links,
    invitations,
    events,
    objects,
    early_ends,
    follower_checks,
    activities,
    deliveries,
    peers,
    domain_rules,
    inbox,
    jobs,
    letters,
    courses,
    course_organizers,
    course_bans,
    pins,
    syllabi,
    cohorts,
    enrollments,
    assignments,
    submissions,
    revisions,
    media,
    revision_media,
    allocations,
    reviews,
    results,
    review_tasks,
    feedback,
    posts,
    mirrors,
    held_posts,
    notes,
    notices,
    reports,
    report_evidence,
    report_notes,
    rulings,
);
