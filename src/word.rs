//! How is a state, kind or role written? The same word in the database, on the wire and in pages.

/// Declares an enum whose variants are glossary words, stored as text.
///
/// Gives `as_str`, `ALL`, `Display`, `FromStr`, serde and diesel's text mapping on both databases.
#[macro_export]
macro_rules! words {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($(#[$vmeta:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, diesel::expression::AsExpression, diesel::deserialize::FromSqlRow)]
        #[diesel(sql_type = diesel::sql_types::Text)]
        $vis enum $name { $($(#[$vmeta])* $variant,)+ }

        impl $name {
            /// Every word there is, in the order of the glossary.
            pub const ALL: &'static [$name] = &[$($name::$variant,)+];

            /// The word itself.
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word,)+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::word::UnknownWord;
            fn from_str(word: &str) -> Result<Self, Self::Err> {
                match word {
                    $($word => Ok($name::$variant),)+
                    _ => Err($crate::word::UnknownWord { word: word.chars().take(40).collect(), kind: stringify!($name) }),
                }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
                word.parse().map_err(serde::de::Error::custom)
            }
        }

        impl<DB> diesel::serialize::ToSql<diesel::sql_types::Text, DB> for $name
        where
            DB: diesel::backend::Backend,
            str: diesel::serialize::ToSql<diesel::sql_types::Text, DB>,
        {
            fn to_sql<'b>(&'b self, out: &mut diesel::serialize::Output<'b, '_, DB>) -> diesel::serialize::Result {
                self.as_str().to_sql(out)
            }
        }

        impl<DB> diesel::deserialize::FromSql<diesel::sql_types::Text, DB> for $name
        where
            DB: diesel::backend::Backend,
            String: diesel::deserialize::FromSql<diesel::sql_types::Text, DB>,
        {
            fn from_sql(bytes: DB::RawValue<'_>) -> diesel::deserialize::Result<Self> {
                let word = <String as diesel::deserialize::FromSql<diesel::sql_types::Text, DB>>::from_sql(bytes)?;
                Ok(word.parse()?)
            }
        }
    };
}

/// A word that is not in the list of its kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is no {kind}")]
pub struct UnknownWord {
    /// What was read, cut to 40 characters.
    pub word: String,
    /// The Rust name of the list.
    pub kind: &'static str,
}

#[cfg(test)]
mod tests {
    crate::words! {
        /// Test words.
        enum Colour { Red = "red", DarkGreen = "dark_green", }
    }

    #[test]
    fn a_word_reads_back_as_what_it_was() {
        for colour in Colour::ALL {
            assert_eq!(colour.as_str().parse::<Colour>().as_ref(), Ok(colour));
        }
        assert_eq!(serde_json::to_string(&Colour::DarkGreen).unwrap(), "\"dark_green\"");
        assert_eq!("Red".parse::<Colour>().unwrap_err().to_string(), "`Red` is no Colour");
    }
}
