//! What is handed in, and how is it reviewed?

use crate::review::Answer;

/// Bo's work.
pub const BO: &str = "I used the **bowline** for the swing in our pear tree, because its loop neither slips nor shrinks \
when the children pull.\n\n1. Lay a small loop into the rope, an arm's length from the end, with the end on top.\n2. \
Bring the end up through the loop from below.\n3. Take it round behind the standing part.\n4. Put it back down through \
the loop, and pull.\n\nIt holds because the loaded part squeezes the loop round the two strands that pass through it: the \
heavier the child, the tighter the grip. Without load it can always be pushed open again. A drawing is in the file.";

/// Bo's drawing.
pub const SWING: &str = "   pear tree\n  ====(O)====     (O) round turn and two half hitches\n     |   |\n     |   |        two ropes, 2.4 m\n     |   \
|\n    (8) (8)       (8) bowline, tail 20 cm, loop round the board\n  [=========]     board, 45 x 18 cm\n";

/// Cleo's work.
pub const CLEO: &str = "My bean poles stand in pairs and are tied to a long one with a **clove hitch** each.\n\nPass the \
twine round the pole, cross over your first turn, go round again, and slip the end under the last crossing. Pull at both \
ends.\n\nEach turn presses the other against the wood, so friction holds it. It is quick to tie and quick to undo, which I \
like in October. When the pole can turn, it rolls loose; there I add a half hitch.";

/// Eli's work.
pub const ELI: &str = "To lengthen the strap of my bicycle trailer I joined a thick rope with a thin one by a **sheet \
bend**: fold the end of the thick one back, come up through the fold with the thin one, go round behind both and tuck it \
under itself. Both ends lie on the same side. It holds while there is load on it.";

/// Dov's first version.
pub const DOV_FIRST: &str = "The **taut-line hitch** keeps the ropes of my tent tight. I tie it twice round the rope and \
once above.";

/// What Dov hands in in the end.
pub const DOV: &str = "The **taut-line hitch** keeps the ropes of my tent tight, also when rain has made them longer.\n\n- \
Go round the peg and come back alongside the rope.\n- Wind the end twice round the rope, towards the peg, inside the \
loop.\n- Wind it once more above the loop, in the same direction, and pull it snug.\n\nThe knot can be slid by hand. Under \
load the rope bends a little at the two turns, and this kink is what holds: nothing can slide round a corner.";

/// Ines's work.
pub const INES: &str = "I make my hammock fast to trees with a **round turn and two half hitches**.\n\nOnce round the trunk \
and once more: this round turn already carries nearly everything, and you can hold the rope with two fingers while you tie \
the rest. Then twice a half hitch round the standing part, both in the same direction, so that together they look like a \
clove hitch.\n\nWhy it holds: every turn round the tree takes a large part of the pull away. The half hitches only keep the \
end in its place.";

/// Bo's review. It fits all of the works, since nobody knows beforehand who gets which.
pub fn review_of_bo() -> Answer {
    answer(
        [("clear", 2), ("correct", 2), ("useful", 1)],
        "I tied it at once with your words beside me. Which rope did you use? In mine, which is smooth, it needed a \
         longer tail.",
    )
}

/// Ines's review.
pub fn review_of_ines() -> Answer {
    answer(
        [("clear", 1), ("correct", 2), ("useful", 2)],
        "Good choice for the purpose. One step went too fast for me: please say on which side the end comes out.",
    )
}

fn answer(levels: [(&str, i64); 3], comment: &str) -> Answer {
    Answer {
        levels: levels.map(|(id, level)| (id.to_owned(), level)).into(),
        comment_html: format!("<p>{comment}</p>"),
        ..Answer::default()
    }
}
