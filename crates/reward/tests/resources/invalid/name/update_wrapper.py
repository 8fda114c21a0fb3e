import functools

num_stages = 1

# Stage 1: reach the block
def stage1_guidance(keypoints, action_sequence):
    def reach(point):
        return -torch.norm(action_sequence - point, dim=-1).mean()
    reach = functools.update_wrapper(reach, reach)
    return reach(keypoints[0])
