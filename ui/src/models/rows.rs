//! Changes a model into the rows wanted, touching only the rows that differ.

use slint::{Model, VecModel};

/// Makes `model` hold exactly `wanted`. Rows are the same row when `key` says so; a row that keeps
/// its place is set only when its content differs, the others are removed, inserted or moved.
pub(crate) fn sync<T, K>(model: &VecModel<T>, wanted: &[T], key: impl Fn(&T) -> K)
where
    T: Clone + PartialEq + 'static,
    K: PartialEq,
{
    for index in (0..model.row_count()).rev() {
        let gone = model.row_data(index).is_some_and(|row| {
            let have = key(&row);
            !wanted.iter().any(|want| key(want) == have)
        });
        if gone {
            model.remove(index);
        }
    }
    for (index, want) in wanted.iter().enumerate() {
        let place = (index..model.row_count())
            .find(|&at| model.row_data(at).is_some_and(|row| key(&row) == key(want)));
        match place {
            Some(at) if at == index => set(model, index, want),
            Some(at) => {
                model.remove(at);
                model.insert(index, want.clone());
            }
            None => model.insert(index, want.clone()),
        }
    }
    while model.row_count() > wanted.len() {
        model.remove(model.row_count() - 1);
    }
}

/// Makes `model` hold exactly `wanted`, row by row.
pub(crate) fn replace<T: Clone + PartialEq + 'static>(model: &VecModel<T>, wanted: &[T]) {
    while model.row_count() > wanted.len() {
        model.remove(model.row_count() - 1);
    }
    for (index, want) in wanted.iter().enumerate() {
        if index < model.row_count() {
            set(model, index, want);
        } else {
            model.push(want.clone());
        }
    }
}

fn set<T: Clone + PartialEq + 'static>(model: &VecModel<T>, index: usize, want: &T) {
    if model.row_data(index).is_some_and(|row| row != *want) {
        model.set_row_data(index, want.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(model: &VecModel<(u8, char)>) -> Vec<(u8, char)> {
        model.iter().collect()
    }

    #[test]
    fn any_list_becomes_any_other() {
        let lists: [&[(u8, char)]; 6] = [
            &[],
            &[(1, 'a')],
            &[(1, 'b'), (2, 'a')],
            &[(3, 'x'), (1, 'b'), (2, 'c')],
            &[(2, 'c'), (3, 'x')],
            &[(4, 'q'), (2, 'z'), (1, 'a'), (3, 'x')],
        ];
        for from in lists {
            for to in lists {
                let model = VecModel::from(from.to_vec());
                sync(&model, to, |row| row.0);
                assert_eq!(rows(&model), to, "from {from:?}");
                let model = VecModel::from(from.to_vec());
                replace(&model, to);
                assert_eq!(rows(&model), to, "from {from:?}");
            }
        }
    }
}
