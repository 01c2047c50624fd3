// Trains a model on labelled files, judges it on a tenth that it has not seen, and writes it:
//
//     swift run train sounds/ sounds.safetensors                        (a folder per class)
//     swift run train recordings/ digits.safetensors '{label}_{speaker}_{index}'

import Auricle
import Foundation

let arguments = CommandLine.arguments
guard arguments.count >= 3 else {
  print("usage: train DATA MODEL [LABEL-PATTERN]")
  exit(2)
}
let pattern = arguments.count > 3 ? try LabelPattern(arguments[3]) : nil
let dataset = try Dataset(at: arguments[1], labelPattern: pattern)
let split = try dataset.split(validation: .fraction(0.1), seed: 1)

var trainer = SoundTrainer(features: .speech(sampleRate: 16_000), network: NetworkName.gruSmall.template)
trainer.training.epochs = 10
let result = try await trainer.train(split, labels: dataset.labels) { progress in
  if case .training(.epoch(let epoch, _)) = progress {
    print("epoch \(epoch.number): loss \(epoch.trainingLoss)")
  }
}
for failure in result.failures { print("left out: \(failure.reason)") }
print("\(result.validationCorrect) of \(result.validationExamples) right")
try result.model.write(to: arguments[2])
