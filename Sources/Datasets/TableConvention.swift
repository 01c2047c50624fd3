/// How a kind of table names its columns, and where the sound lies that it names.
struct TableConvention {
  /// Of the data set, for people; nil for a manifest of no particular kind.
  var name: String?
  var pathColumns = usualPathColumns
  /// Those that hold the label for certain, the first that is there; empty to choose among the usual names.
  var labelColumns: [String] = []
  /// Whether columns with a beginning and an end say which part of the file counts.
  var hasSpans = true
  /// The column of the channel that counts, the first being 1; other tables' columns of that name mean many things.
  var channelColumn: String?
  /// Whether a row without label and times is a file in which nothing happens.
  var mayLackEvents = false
  /// The folders, relative to the table's, that paths may be relative to; the first in which the first file is there.
  var folders = [""]
  /// What is to be found in the folder for a path as it is written in a row.
  var place: (_ written: String, _ row: Table.Row) -> String = { written, _ in written }
  /// The split that a row says by other means than a column `split`.
  var split: (_ written: String) -> Split? = { _ in nil }

  static let usualPathColumns = [
    "path", "file", "filename", "file_name", "audio_filepath", "filepath", "file_path", "audio_path", "audio_file",
    "audio", "wav",
  ]
  /// So many of them are named where none is there.
  static let shownPathColumns = 5
  /// By which a header is known; UrbanSound8K has a name of its own.
  static let knownPathColumns = usualPathColumns + ["slice_file_name"]
}

/// Which column becomes the label.
enum LabelColumn {
  /// What is named where nothing is there.
  static let shown = ["label", "class", "category", "command", "text"]
  /// In this order of preference.
  static let certain = ["label", "labels"]
  /// Of these, one alone.
  static let likely = [
    "class", "category", "command", "keyword", "word", "class_name", "classname", "label_name", "event_label",
    "event_labels", "emotion", "genre", "intent", "scene_label", "digit", "species", "primary_label",
  ]
  /// Only where nothing else might be meant.
  static let transcripts = ["text", "sentence", "transcript", "transcription"]
  /// Columns that are nobody's label unless asked for.
  private static let descriptions: Set<String> = [
    "id", "utterance", "utterance_id", "utt_id", "utt", "key", "uid", "index", "unnamed: 0", "split", "fold", "group",
    "speaker", "speaker_id", "speakerid", "spk", "spk_id", "client_id", "actor", "gender", "sex", "age", "accent",
    "accents",
    "locale", "language", "lang", "variant", "segment", "duration", "length", "offset", "onset", "start", "end",
    "start_time", "end_time", "sample_rate", "sampling_rate", "samplerate", "sr", "channel", "channels", "num_samples",
    "n_samples", "up_votes", "down_votes", "sentence_id", "sentence_domain", "size", "wav_filesize",
  ]

  /// The columns to take a row's label from, the first that the row has; nil when there is none, or the label pattern
  /// has captured one and no column is certain.
  ///
  /// Throws `DatasetError.ambiguousLabel` where several might be meant.
  static func choose(
    in table: Table, _ convention: TableConvention, _ options: TableOptions, path: String?,
    isCaptured: Bool
  ) throws(DatasetError) -> [String]? {
    if let wanted = options.labelColumn { return table.column(named: [wanted]).map { [$0] } }
    if let column = table.column(named: convention.labelColumns) { return [column] }
    let sure = table.columns(named: certain)
    let candidates = table.columns(named: likely).filter { $0 != path }
    if !sure.isEmpty { return sure + candidates }
    if isCaptured { return nil }
    guard candidates.count < 2 else {
      throw .ambiguousLabel(path: table.path, line: table.firstLine, columns: candidates)
    }
    if !candidates.isEmpty { return candidates }
    let texts = table.columns(named: transcripts).filter { $0 != path }
    guard !texts.isEmpty else { return nil }
    let others = table.columns.filter { name in
      name != path && !texts.contains(name) && !descriptions.contains(name.lowercased())
    }
    guard texts.count == 1 && others.isEmpty else {
      throw .ambiguousLabel(path: table.path, line: table.firstLine, columns: texts + others)
    }
    return texts
  }
}
