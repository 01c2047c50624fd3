/// A manifest of NVIDIA NeMo: JSON lines with `audio_filepath`, `offset` and `duration`, and `label` or `command`
/// (https://docs.nvidia.com/nemo-framework/user-guide/latest/nemotoolkit/asr/speech_classification/datasets.html).
enum NeMo: Layout {
  static func convention(of table: Table) -> TableConvention? {
    guard table.format.hasPrefix("JSON"), table.columns.contains("audio_filepath"), table.columns.contains("duration")
    else { return nil }
    return TableConvention(name: "NeMo manifest", pathColumns: ["audio_filepath"] + TableConvention.usualPathColumns)
  }
}
