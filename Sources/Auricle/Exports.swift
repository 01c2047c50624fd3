@_exported import AudioFeatures
@_exported import AudioInput
@_exported import AuricleBase
@_exported import Datasets
@_exported import Evaluation
@_exported import Pictures
@_exported import SequenceModel
@_exported import Training
