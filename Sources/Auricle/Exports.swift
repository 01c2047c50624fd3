// The stages whose types are in what this module offers. Of the ground floor and the pictures, only what they return,
// take and throw.
@_exported import AudioFeatures
@_exported import AudioInput
@_exported import Augmentation
@_exported import Datasets
@_exported import Detection
@_exported import Evaluation
@_exported import FeatureFiles
@_exported import ModelExchange
@_exported import SequenceModel
@_exported import Training

@_exported import enum AuricleBase.FileError
@_exported import struct AuricleBase.SeededGenerator
@_exported import struct Pictures.Picture
