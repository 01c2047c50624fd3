/// Labelled files of sound, or labelled sequences.
public struct LabeledData: Sendable {
  public let dataset: Dataset
  /// Where the examples' sequences are, if they are not files of sound.
  public private(set) var sequences: SequenceDataset?

  public init(_ dataset: Dataset) { self.dataset = dataset }

  public init(_ sequences: SequenceDataset) {
    (self.dataset, self.sequences) = (sequences.dataset, sequences)
  }

  /// What the examples are called.
  public var noun: String { sequences == nil ? "files" : "sequences" }
}
