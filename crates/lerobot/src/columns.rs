//! Arrow columns of the Parquet files.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, FixedSizeListArray, Float32Array, Float64Array,
    Int64Array, ListArray, RecordBatch, StringArray, StructArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Fields, Schema};
use arrow::error::ArrowError;
use serde_json::json;

use crate::info::{DatasetSpec, ImageStorage};
use crate::stats::FeatureStats;
use crate::writer::Frame;

/// Name, column pairs in file order.
pub(crate) type Columns = Vec<(String, ArrayRef)>;

/// The frames of one episode.
pub(crate) fn frames(
    spec: &DatasetSpec,
    frames: &[Frame],
    episode: u64,
    first_index: u64,
    task: usize,
) -> Result<Columns, ArrowError> {
    let n = frames.len();
    let state = frames
        .iter()
        .flat_map(|frame| frame.state.iter().copied())
        .collect();
    let action = frames
        .iter()
        .flat_map(|frame| frame.action.iter().copied())
        .collect();
    let mut columns: Columns = vec![
        (
            "observation.state".to_owned(),
            fixed_list(spec.state_names.len(), state)?,
        ),
        (
            "action".to_owned(),
            fixed_list(spec.action_names.len(), action)?,
        ),
    ];
    let in_table = matches!(spec.images, ImageStorage::Png);
    for (camera, known) in spec.cameras.iter().enumerate().filter(|_| in_table) {
        let pngs: Vec<&[u8]> = frames
            .iter()
            .map(|frame| frame.pngs[camera].as_slice())
            .collect();
        columns.push((DatasetSpec::image_key(&known.name), images(&pngs)?));
    }
    let fps = f64::from(spec.fps);
    let timestamps = Float32Array::from_iter_values((0..n).map(|i| (i as f64 / fps) as f32));
    columns.push(("timestamp".to_owned(), Arc::new(timestamps)));
    for (name, values) in [
        ("frame_index", int64(0..n as u64)),
        ("episode_index", int64(std::iter::repeat_n(episode, n))),
        ("index", int64(first_index..first_index + n as u64)),
        ("task_index", int64(std::iter::repeat_n(task as u64, n))),
    ] {
        columns.push((name.to_owned(), values));
    }
    Ok(columns)
}

/// The columns `stats/<feature>/<row>`, one entry an episode.
pub(crate) fn stats(
    feature: &str,
    is_image: bool,
    episodes: &[&FeatureStats],
) -> Result<Columns, ArrowError> {
    let mut columns = Columns::new();
    let names = episodes
        .first()
        .map(|stats| stats.rows.iter().map(|(name, _)| *name))
        .into_iter();
    for name in names.flatten() {
        let rows: Vec<&[f64]> = episodes
            .iter()
            .map(|stats| stats.row(name).unwrap_or_default())
            .collect();
        let lens: Vec<usize> = rows.iter().map(|row| row.len()).collect();
        let flat = Float64Array::from_iter_values(rows.iter().flat_map(|row| row.iter().copied()));
        let mut column: ArrayRef = Arc::new(flat);
        if is_image {
            // LeRobot keeps the shape (3, 1, 1), which broadcasts over an image.
            let ones = vec![1; lens.iter().sum()];
            column = list(list(column, &ones)?, &ones)?;
        }
        columns.push((format!("stats/{feature}/{name}"), list(column, &lens)?));
    }
    let counts = int64(episodes.iter().map(|stats| stats.count));
    columns.push((
        format!("stats/{feature}/count"),
        list(counts, &vec![1; episodes.len()])?,
    ));
    Ok(columns)
}

/// `meta/tasks.parquet` as pandas writes it: the instruction is the index of the table.
pub(crate) fn tasks(tasks: &[String]) -> Result<RecordBatch, ArrowError> {
    let pandas = json!({
        "index_columns": ["__index_level_0__"],
        "column_indexes": [{
            "name": null, "field_name": null, "pandas_type": "unicode", "numpy_type": "object",
            "metadata": {"encoding": "UTF-8"},
        }],
        "columns": [
            {"name": "task_index", "field_name": "task_index", "pandas_type": "int64",
             "numpy_type": "int64", "metadata": null},
            {"name": null, "field_name": "__index_level_0__", "pandas_type": "unicode",
             "numpy_type": "object", "metadata": null},
        ],
        "attributes": {},
        "creator": {"library": "tiller", "version": env!("CARGO_PKG_VERSION")},
        "pandas_version": "2.0.0",
    });
    let columns = vec![
        ("task_index".to_owned(), int64(0..tasks.len() as u64)),
        ("__index_level_0__".to_owned(), strings(tasks)),
    ];
    batch(
        columns,
        HashMap::from([("pandas".to_owned(), pandas.to_string())]),
    )
}

/// A table of `columns` with schema metadata.
pub(crate) fn batch(
    columns: Columns,
    metadata: HashMap<String, String>,
) -> Result<RecordBatch, ArrowError> {
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, column)| Field::new(name, column.data_type().clone(), true))
        .collect();
    let arrays = columns.into_iter().map(|(_, column)| column).collect();
    RecordBatch::try_new(
        Arc::new(Schema::new(fields).with_metadata(metadata)),
        arrays,
    )
}

pub(crate) fn int64(values: impl IntoIterator<Item = u64>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(
        values.into_iter().map(u64::cast_signed),
    ))
}

/// Yes, no, or nobody knows.
pub(crate) fn flags(values: impl IntoIterator<Item = Option<bool>>) -> ArrayRef {
    Arc::new(values.into_iter().collect::<BooleanArray>())
}

pub(crate) fn float64(values: impl IntoIterator<Item = f64>) -> ArrayRef {
    Arc::new(Float64Array::from_iter_values(values))
}

pub(crate) fn strings(values: &[String]) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

/// A column of lists; list `i` takes the next `lens[i]` entries of `values`.
pub(crate) fn list(values: ArrayRef, lens: &[usize]) -> Result<ArrayRef, ArrowError> {
    let field = Arc::new(Field::new("element", values.data_type().clone(), true));
    let offsets = OffsetBuffer::from_lengths(lens.iter().copied());
    Ok(Arc::new(ListArray::try_new(field, offsets, values, None)?))
}

fn fixed_list(len: usize, values: Vec<f32>) -> Result<ArrayRef, ArrowError> {
    let field = Arc::new(Field::new("element", DataType::Float32, true));
    let size =
        i32::try_from(len).map_err(|error| ArrowError::InvalidArgumentError(error.to_string()))?;
    Ok(Arc::new(FixedSizeListArray::try_new(
        field,
        size,
        Arc::new(Float32Array::from(values)),
        None,
    )?))
}

/// Images as Hugging Face `datasets` stores them: encoded bytes, or a path beside them.
fn images(pngs: &[&[u8]]) -> Result<ArrayRef, ArrowError> {
    let fields = Fields::from(vec![
        Field::new("bytes", DataType::Binary, true),
        Field::new("path", DataType::Utf8, true),
    ]);
    let bytes = BinaryArray::from_iter_values(pngs.iter());
    let paths =
        StringArray::from_iter_values((0..pngs.len()).map(|frame| format!("frame-{frame:06}.png")));
    Ok(Arc::new(StructArray::try_new(
        fields,
        vec![Arc::new(bytes), Arc::new(paths)],
        None,
    )?))
}
