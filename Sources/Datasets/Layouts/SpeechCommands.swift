import AuricleBase

/// Speech Commands (P. Warden, arXiv:1804.03209): a folder per class, of which `_silence_` and `_unknown_` are classes like
/// others and `_background_noise_` is none; `validation_list.txt` and `testing_list.txt` assign files to splits.
enum SpeechCommands: Layout {
  static let noiseFolder = "_background_noise_"
  static let lists: [(name: String, split: Split)] = [
    ("validation_list.txt", .validation), ("testing_list.txt", .testing),
  ]

  static func dataset(inFolder folder: Request) throws(DatasetError) -> Dataset? {
    guard folder.hasFolder(noiseFolder) || lists.contains(where: { folder.hasFile($0.name) }) else { return nil }
    var dataset = try ClassFolders(folder).dataset(splitBy: lists)
    guard folder.hasFolder(noiseFolder) else { return dataset }
    let path = join(folder.path, noiseFolder)
    let walk = FolderWalk(extensions: folder.extensions)
    let noise = try walk.audioFiles(under: path, except: []).files.map { join(path, $0) }
    dataset = dataset.with(source: dataset.source + ", noise in \(noiseFolder)")
    dataset.noiseFiles = noise
    return dataset
  }
}
