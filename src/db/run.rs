//! How is a query run on whichever database there is?

use super::Db;
use diesel::backend::Backend;
use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate};
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::query_dsl::methods::{ExecuteDsl, LimitDsl, LoadQuery};
use diesel::sql_types::Bool;
use diesel::sqlite::Sqlite;
use diesel::{PgConnection, QueryResult, Selectable, SqliteConnection};

/// Runs queries, in place of diesel's trait of the same methods. There a connection that may be either writes the SQL
/// text anew for every run and hands each column on through two layers; here the query is compiled for each database, so
/// that a prepared statement is found by its type: a third of the time for a row of many columns. It also runs what
/// diesel cannot say over both (upserts, batch inserts).
pub trait Run: Sized {
    /// Runs it; how many rows it changed.
    fn execute(self, db: &mut Db) -> QueryResult<usize>
    where
        Self: ExecuteDsl<SqliteConnection> + ExecuteDsl<PgConnection>,
    {
        match db {
            Db::Sqlite(conn) => ExecuteDsl::execute(self, conn),
            Db::Pg(conn) => ExecuteDsl::execute(self, conn),
        }
    }

    /// All rows.
    fn load<'query, U>(self, db: &mut Db) -> QueryResult<Vec<U>>
    where
        Self: LoadQuery<'query, SqliteConnection, U> + LoadQuery<'query, PgConnection, U>,
    {
        match db {
            Db::Sqlite(conn) => self.internal_load(conn)?.collect(),
            Db::Pg(conn) => self.internal_load(conn)?.collect(),
        }
    }

    /// The one row that there is; the first of several.
    fn get_result<'query, U>(self, db: &mut Db) -> QueryResult<U>
    where
        Self: LoadQuery<'query, SqliteConnection, U> + LoadQuery<'query, PgConnection, U>,
    {
        let row = match db {
            Db::Sqlite(conn) => self.internal_load(conn)?.next(),
            Db::Pg(conn) => self.internal_load(conn)?.next(),
        };
        row.unwrap_or(Err(diesel::NotFound))
    }

    /// The first row; the rest is not asked for.
    fn first<'query, U>(self, db: &mut Db) -> QueryResult<U>
    where
        Self: LimitDsl,
        <Self as LimitDsl>::Output: LoadQuery<'query, SqliteConnection, U> + LoadQuery<'query, PgConnection, U>,
    {
        Run::get_result(self.limit(1), db)
    }
}

impl<T: diesel::RunQueryDsl<SqliteConnection>> Run for T {}

/// The columns of a struct, in place of diesel's trait of the same method: there they are bound to one kind of
/// connection. They are read in the order in which they are asked for, that of the struct.
pub trait Columns: Selectable<Sqlite> {
    /// To be selected.
    fn as_select() -> Self::SelectExpression {
        Self::construct_selection()
    }
}

impl<T: Selectable<Sqlite>> Columns for T {}

/// A statement whose text is always the same, so that it is compiled once: diesel takes every `UPDATE`, and all that is
/// written as text, for something that differs each time. Not for what has lists, or values that may be left out.
#[derive(Debug, Clone, Copy)]
pub struct Kept<T>(pub T);

impl<T> QueryId for Kept<T> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<T: QueryFragment<B>, B: Backend> QueryFragment<B> for Kept<T> {
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, B>) -> QueryResult<()> {
        self.0.walk_ast(pass)
    }

    fn is_safe_to_cache_prepared(&self, _: &B) -> QueryResult<bool> {
        Ok(true)
    }
}

impl<T, Conn> diesel::RunQueryDsl<Conn> for Kept<T> {}

/// A condition as its text, which is always the same: SQLite sees that a partial index serves only where the value
/// stands in the text, and diesel's own takes every such statement for something that differs each time.
#[derive(Debug, Clone, Copy)]
pub struct Literal(pub &'static str);

impl Expression for Literal {
    type SqlType = Bool;
}

impl<Source> AppearsOnTable<Source> for Literal {}

impl<Source> SelectableExpression<Source> for Literal {}

impl<Group> ValidGrouping<Group> for Literal {
    type IsAggregate = is_aggregate::Never;
}

impl QueryId for Literal {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<B: Backend> QueryFragment<B> for Literal {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, B>) -> QueryResult<()> {
        pass.push_sql(self.0);
        Ok(())
    }
}
