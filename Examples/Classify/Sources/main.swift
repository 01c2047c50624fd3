// Says what is heard in each file, with the bundled model or one of your own:
//
//     swift run classify seven.wav
//     swift run classify --model birds.safetensors morning.flac evening.flac

import Auricle

var paths = Array(CommandLine.arguments.dropFirst())
let classifier: SoundClassifier
if paths.first == "--model", paths.count > 1 {
  classifier = try SoundClassifier(contentsOf: paths[1])
  paths.removeFirst(2)
} else {
  classifier = try SoundClassifier()
}

for path in paths {
  do {
    let answer = try classifier.classify(path)
    print(path, answer.label, answer.probability)
    for warning in answer.warnings { print("  \(warning)") }
  } catch {
    print(error)  // names the file, and says what is wrong with it
  }
}
