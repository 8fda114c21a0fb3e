num_stages = 1

class Reward:
    def stage1_guidance(self, keypoints, action_sequence):
        return -action_sequence.sum()
