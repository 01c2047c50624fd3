/// How a table that lists sounds is read where its own names do not say so.
///
///     var options = TableOptions()
///     options.labelColumn = "emotion"
///     let dataset = try Dataset(at: "list.csv", table: options)
public struct TableOptions: Hashable, Sendable {
  /// What a cell with labels holds.
  public enum LabelCells: Hashable, Sendable {
    /// One label; what looks like several is refused.
    case single
    /// One label, whatever it looks like.
    case whole
    /// Any number of labels: a JSON array, or a cell in which `|`, `;` or `,` stands between them.
    case list
  }

  /// Column of the audio file; nil for one of the usual names (`path`, `file`, `file_name`, `audio_filepath`, ...).
  public var pathColumn: String?
  /// Column of the label; nil for one of the usual names (`label`, `class`, `category`, `command`, ...).
  public var labelColumn: String?
  /// The folder that paths are relative to; nil for the one that the table stands in.
  public var audioRoot: String?
  /// What stands between two cells, an ASCII character; nil for what the first line shows.
  public var separator: Character?
  public var labelCells = LabelCells.single

  public init() {}
}
